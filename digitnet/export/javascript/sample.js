// A prepared picture, in base64, a byte per pixel; the network's outputs for it, and the answer that
// they stand for. label: index of the likeliest class.

export const sample = {
  pixels: "",
  outputs: [1, 0],
  label: 0,
  probabilities: [1, 0],
  evidence: 0,
};
