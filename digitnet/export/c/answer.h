/* Activation functions of the hidden layers; DIGITNET_ACTIVATION names the network's. */
static inline float digitnet_relu(float z)
{
    return z < 0.0f ? 0.0f : z;
}

static inline float digitnet_tanh(float z)
{
    return tanhf(z);
}

static inline float digitnet_sigmoid(float z)
{
    return tanhf(z * 0.5f) * 0.5f + 0.5f; /* 1 / (1 + exp(-z)), without overflow */
}

/* Activations of the last layer; DIGITNET_OUTPUT names the network's function. */
static inline void digitnet_sigmoid_outputs(float z[DIGITNET_CLASSES])
{
    int j;

    for (j = 0; j < DIGITNET_CLASSES; j++) {
        z[j] = digitnet_sigmoid(z[j]);
    }
}

static inline void digitnet_softmax_outputs(float z[DIGITNET_CLASSES])
{
    float highest = z[0], total = 0.0f;
    int j;

    for (j = 1; j < DIGITNET_CLASSES; j++) {
        highest = z[j] > highest ? z[j] : highest;
    }
    for (j = 0; j < DIGITNET_CLASSES; j++) {
        z[j] = expf(z[j] - highest);
        total += z[j];
    }
    for (j = 0; j < DIGITNET_CLASSES; j++) {
        z[j] /= total;
    }
}

/* The network: pixels in, an output per class out. */
static inline void digitnet_outputs(const float pixels[DIGITNET_PIXELS],
                                    float outputs[DIGITNET_CLASSES])
{
    float odd[DIGITNET_ODD_WIDTH], even[DIGITNET_EVEN_WIDTH]; /* activations of every other layer */
    const float *a = pixels;
    int l, j;

    for (l = 0; l < DIGITNET_LAYERS - 1; l++) {
        float *z = l % 2 == 0 ? odd : even;

        digitnet_weigh(&digitnet_layers[l], a, z);
        for (j = 0; j < digitnet_layers[l].neurons; j++) {
            z[j] = DIGITNET_ACTIVATION(z[j]);
        }
        a = z;
    }
    digitnet_weigh(&digitnet_layers[DIGITNET_LAYERS - 1], a, outputs);
    DIGITNET_OUTPUT(outputs);
}

/* Divide values by their sum. If the sum is 0 or not finite, make the values equal and return 0. */
static inline int digitnet_normalise(float values[DIGITNET_CLASSES])
{
    float total = 0.0f;
    int j, usable;

    for (j = 0; j < DIGITNET_CLASSES; j++) {
        total += values[j];
    }
    usable = total > 0.0f && total <= FLT_MAX;
    for (j = 0; j < DIGITNET_CLASSES; j++) {
        values[j] = usable ? values[j] / total : 1.0f / DIGITNET_CLASSES;
    }
    return usable;
}

/* Write probabilities, proportional to output^(1/temperature). Return the likeliest class. */
static inline int digitnet_probabilities(const float outputs[DIGITNET_CLASSES],
                                         float probabilities[DIGITNET_CLASSES])
{
    float highest = FLT_MIN;
    int j, best = 0;

    for (j = 0; j < DIGITNET_CLASSES; j++) {
        best = outputs[j] > outputs[best] ? j : best;
        highest = outputs[j] > highest ? outputs[j] : highest;
    }
    for (j = 0; j < DIGITNET_CLASSES; j++) {
        probabilities[j] = powf(outputs[j] / highest, 1.0f / DIGITNET_TEMPERATURE);
    }
    return digitnet_normalise(probabilities) ? best : 0;
}

/* Return how far outputs are from equal outputs, in nats. */
static inline float digitnet_evidence(const float outputs[DIGITNET_CLASSES])
{
    float p[DIGITNET_CLASSES], sum = 0.0f;
    int j;

    for (j = 0; j < DIGITNET_CLASSES; j++) {
        p[j] = outputs[j] < DIGITNET_MIN_OUTPUT ? DIGITNET_MIN_OUTPUT : outputs[j];
    }
    digitnet_normalise(p);
    for (j = 0; j < DIGITNET_CLASSES; j++) {
        sum += logf((p[j] < FLT_MIN ? FLT_MIN : p[j]) * DIGITNET_CLASSES);
    }
    return sum < 0.0f ? -sum / DIGITNET_CLASSES : 0.0f;
}

/* Write the outputs. Return 1 if all pixels are from 0 to 1, else 0 with outputs of 0. */
static inline int digitnet_read(const float pixels[DIGITNET_PIXELS],
                                float outputs[DIGITNET_CLASSES])
{
    int i;

    for (i = 0; i < DIGITNET_PIXELS; i++) {
        if (!(pixels[i] >= 0.0f && pixels[i] <= 1.0f)) { /* not a number, too */
            for (i = 0; i < DIGITNET_CLASSES; i++) {
                outputs[i] = 0.0f;
            }
            return 0;
        }
    }
    digitnet_outputs(pixels, outputs);
    return 1;
}

static inline int digitnet_predict(const float pixels[DIGITNET_PIXELS],
                                   float probabilities[DIGITNET_CLASSES])
{
    if (!digitnet_read(pixels, probabilities)) {
        return DIGITNET_BAD_PIXELS;
    }
    return digitnet_probabilities(probabilities, probabilities);
}

static inline int digitnet_answer(const float pixels[DIGITNET_PIXELS],
                                  float probabilities[DIGITNET_CLASSES], float *evidence)
{
    float nats = 0.0f;
    int answer = DIGITNET_BAD_PIXELS;

    if (digitnet_read(pixels, probabilities)) {
        nats = digitnet_evidence(probabilities);
        answer = digitnet_probabilities(probabilities, probabilities);
        if (!(probabilities[answer] >= DIGITNET_MIN_CONFIDENCE && nats >= DIGITNET_MIN_EVIDENCE)) {
            answer = DIGITNET_DOUBTFUL;
        }
    }
    if (evidence) {
        *evidence = nats;
    }
    return answer;
}

static inline int digitnet_check(void)
{
    float pixels[DIGITNET_PIXELS], found[DIGITNET_CLASSES];
    float evidence = digitnet_evidence(digitnet_sample_outputs);
    int i, is_right;

    for (i = 0; i < DIGITNET_PIXELS; i++) {
        pixels[i] = (float)digitnet_sample[i] * (1.0f / 255.0f);
    }
    is_right = digitnet_read(pixels, found);
    for (i = 0; i < DIGITNET_CLASSES; i++) {
        is_right &= fabsf(found[i] - digitnet_sample_outputs[i]) <= DIGITNET_SAMPLE_TOLERANCE;
    }
    is_right &= digitnet_probabilities(digitnet_sample_outputs, found) == DIGITNET_SAMPLE_CLASS;
    for (i = 0; i < DIGITNET_CLASSES; i++) {
        is_right &= fabsf(found[i] - digitnet_sample_probabilities[i]) <= 1e-5f;
    }
    return is_right && fabsf(evidence - DIGITNET_SAMPLE_EVIDENCE) <= 1e-3f;
}
