// Run one task of the page's modules on cases from stdin; results go to stdout, both JSON.

import { argv, stdin, stdout } from "node:process";

import { answerOf, scoreOf } from "../../digitnet/report/page/answer.js";
import { lightOf } from "../../digitnet/report/page/image/files.js";
import { read } from "../../digitnet/report/page/image/reading.js";
import { Net, floatsOf } from "../../digitnet/report/page/network.js";

const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64"));

function netOf({ model, kind, matrices }) {
  return new Net(
    model,
    matrices.map((text) => floatsOf(text, kind)),
  );
}

/** Opaque pixels as a canvas has them. */
const opaque = (grey) =>
  Uint8ClampedArray.from({ length: 4 * grey.length }, (_, k) => (k % 4 === 3 ? 255 : grey[k >> 2]));

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

  /** Readings of grey pads, n × side × side bytes. */
  readings({ net, pads, side }) {
    const network = netOf(net);
    const grey = bytesOf(pads);
    const size = side * side;
    return Array.from({ length: grey.length / size }, (_, i) => {
      const rgba = opaque(grey.subarray(i * size, (i + 1) * size));
      const reading = read(lightOf(rgba, side, side), scoreOf(network, net.model));
      return reading.image ? { ...reading, image: Array.from(reading.image) } : reading;
    });
  },

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
