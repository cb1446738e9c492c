// The parameters: per layer, base64 of little-endian float32. First the weights of the first input to
// every neuron, then those of the second, and so on; last the biases.

/** @type {string[]} */
export const weights = [];
