// What the network is.

/**
 * What the outputs stand for, in their order.
 * @type {readonly string[]}
 */
export const classNames = ["0", "1"];

/**
 * layer_sizes: neurons per layer, the pixels first. activation: of the hidden layers. preparation:
 * how `digitnet predict` prepares pictures. temperature: see `probabilitiesOf`. min_confidence (0 to
 * 1), min_evidence (nats): the thresholds of `isDoubtful`. model_sha256, version, created: the
 * model's file, and the digitnet and the time of its training, where known.
 * @typedef {{exported_by: string, model_sha256?: string, version?: string, created?: string,
 *   layer_sizes: number[], activation: string, output: string, preparation: string,
 *   temperature: number, min_confidence: number, min_evidence: number}} About
 */

/**
 * Facts about the model.
 * @type {Readonly<About>}
 */
export const about = {
  exported_by: "digitnet",
  layer_sizes: [784, 2],
  activation: "sigmoid",
  output: "sigmoid",
  preparation: "",
  temperature: 1,
  min_confidence: 0,
  min_evidence: 0,
};
