/* Weights from input i: weights[i * neurons] to weights[i * neurons + neurons - 1]. */
struct digitnet_layer {
    int inputs;
    int neurons;
    const float *weights;
    const float *biases;
};

/* Write the weighted inputs z of a layer. Inputs of 0 are skipped; the others are taken four at a
   time. Kahan's summation keeps the rounding error of each addition and subtracts it from the next
   summand. Inner loops of a fixed length are vectorised by compilers. */
static inline void digitnet_weigh(const struct digitnet_layer *layer, const float *input, float *z)
{
    const int neurons = layer->neurons;
    float errors[DIGITNET_WIDTH];
    int i = 0, j, k;

    for (j = 0; j < neurons; j++) {
        z[j] = layer->biases[j];
        errors[j] = 0.0f;
    }
    while (i < layer->inputs) {
        float a[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        const float *w[4] = {layer->weights, layer->weights, layer->weights, layer->weights};
        int found = 0;

        for (; i < layer->inputs && found < 4; i++) {
            if (input[i] != 0.0f) {
                a[found] = input[i];
                w[found] = layer->weights + (long)i * neurons;
                found++;
            }
        }
        if (found == 0) {
            break;
        }
        for (j = 0; j + 8 <= neurons; j += 8) {
            float added[8], sum[8];

            for (k = 0; k < 8; k++) {
                added[k] = (a[0] * w[0][j + k] + a[1] * w[1][j + k])
                           + (a[2] * w[2][j + k] + a[3] * w[3][j + k]);
            }
            for (k = 0; k < 8; k++) {
                added[k] -= errors[j + k];
            }
            for (k = 0; k < 8; k++) {
                sum[k] = z[j + k] + added[k];
            }
            for (k = 0; k < 8; k++) {
                errors[j + k] = (sum[k] - z[j + k]) - added[k];
            }
            for (k = 0; k < 8; k++) {
                z[j + k] = sum[k];
            }
        }
        for (; j < neurons; j++) {
            const float added = (a[0] * w[0][j] + a[1] * w[1][j])
                                + (a[2] * w[2][j] + a[3] * w[3][j]) - errors[j];
            const float sum = z[j] + added;

            errors[j] = (sum - z[j]) - added;
            z[j] = sum;
        }
    }
}
