// Run one task of the page's modules on cases from stdin; results go to stdout, both JSON.

import { argv, stdin, stdout } from "node:process";

import { answerOf } from "../../digitnet/report/page/answer.js";
import { Net, floatsOf } from "../../digitnet/report/page/network.js";

const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64"));

function netOf({ model, kind, matrices }) {
  return new Net(
    model,
    matrices.map((text) => floatsOf(text, kind)),
  );
}

const TASKS = {
  /** Answers to prepared pictures, n × 784 bytes. */
  answers({ net, images }) {
    const network = netOf(net);
    const pixels = bytesOf(images);
    const n = pixels.length / net.model.sizes[0];
    return Array.from({ length: n }, (_, i) =>
      answerOf(network.forward(pixels.subarray(i * 784, i * 784 + 784)), net.model),
    );
  },

  answersToOutputs: ({ cases }) =>
    cases.map(({ outputs, model, reading }) => answerOf(outputs, model, reading)),

  slopes({ net, image, layer, factors }) {
    const network = netOf(net);
    network.forward(bytesOf(image));
    return Array.from(network.slopes(layer, factors));
  },

  parameters({ net, layer }) {
    const network = netOf(net);
    const [nIn, nOut] = network.sizes.slice(layer);
    const neurons = Array.from({ length: nOut }, (_, j) => j);
    const weights = neurons.map((j) =>
      Array.from({ length: nIn }, (_, i) => network.weight(layer, j, i)),
    );
    return { weights, biases: neurons.map((j) => network.bias(layer, j)) };
  },
};

const chunks = [];
for await (const chunk of stdin) chunks.push(chunk);
const data = JSON.parse(Buffer.concat(chunks).toString());
stdout.write(JSON.stringify(TASKS[argv[2]](data)));
