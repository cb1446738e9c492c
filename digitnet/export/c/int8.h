/* The weight from input i to neuron j is weights[i * neurons + j] * scales[j].
   highest: the largest magnitude that an input can have; 0: that of the picture's inputs. */
struct digitnet_layer {
    int inputs;
    int neurons;
    float highest;
    const int8_t *weights;
    const float *scales;
    const float *biases;
};

/* Return an input as a whole number of steps, from -255 to 255. */
static inline int32_t digitnet_steps(float steps)
{
    if (!(steps < 255.0f)) { /* not a number, too */
        return 255;
    }
    if (steps < -255.0f) {
        return -255;
    }
    return (int32_t)(steps < 0.0f ? steps - 0.5f : steps + 0.5f);
}

/* Write the weighted inputs z of a layer. Inputs become whole numbers of steps, so that the sums are
   exact. Inputs of 0 are skipped; the others are taken four at a time. Inner loops of a fixed length
   are vectorised by compilers. */
static inline void digitnet_weigh(const struct digitnet_layer *layer, const float *input, float *z)
{
    const int neurons = layer->neurons;
    int32_t sums[DIGITNET_WIDTH];
    float highest = layer->highest, steps_per_unit, step;
    int i, j, k;

    if (highest <= 0.0f) {
        for (i = 0; i < layer->inputs; i++) {
            highest = fabsf(input[i]) > highest ? fabsf(input[i]) : highest;
        }
    }
    steps_per_unit = highest >= FLT_MIN * 1024.0f ? 255.0f / highest : 0.0f; /* finite */
    step = highest / 255.0f;
    for (j = 0; j < neurons; j++) {
        sums[j] = 0;
    }
    i = 0;
    while (i < layer->inputs) {
        int32_t a[4] = {0, 0, 0, 0};
        const int8_t *w[4] = {layer->weights, layer->weights, layer->weights, layer->weights};
        int found = 0;

        for (; i < layer->inputs && found < 4; i++) {
            const int32_t steps = digitnet_steps(input[i] * steps_per_unit);

            if (steps != 0) {
                a[found] = steps;
                w[found] = layer->weights + (long)i * neurons;
                found++;
            }
        }
        if (found == 0) {
            break;
        }
        for (j = 0; j + 8 <= neurons; j += 8) {
            for (k = 0; k < 8; k++) {
                sums[j + k] += a[0] * w[0][j + k] + a[1] * w[1][j + k] + a[2] * w[2][j + k]
                               + a[3] * w[3][j + k];
            }
        }
        for (; j < neurons; j++) {
            sums[j] += a[0] * w[0][j] + a[1] * w[1][j] + a[2] * w[2][j] + a[3] * w[3][j];
        }
    }
    for (j = 0; j < neurons; j++) {
        z[j] = (float)sums[j] * (step * layer->scales[j]) + layer->biases[j];
    }
}
