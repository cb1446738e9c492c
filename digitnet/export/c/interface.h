/* The functions of this header. Each may be called from several threads at once. */

/* Read a picture: pixels from 0 to 1, row by row. Write a probability for each class.
   Return the likeliest class, from 0 to DIGITNET_CLASSES - 1. If a pixel is not from 0 to 1, return
   DIGITNET_BAD_PIXELS, with all probabilities 0. */
static inline int digitnet_predict(const float pixels[DIGITNET_PIXELS],
                                   float probabilities[DIGITNET_CLASSES]);

/* The same as digitnet_predict, but return DIGITNET_DOUBTFUL where `digitnet predict` answers `?`:
   the largest probability is below DIGITNET_MIN_CONFIDENCE, or the evidence is below
   DIGITNET_MIN_EVIDENCE. `digitnet predict` also answers `?` to pictures of several digits or of a
   line, which the pixels do not tell. evidence: how far the outputs are from equal outputs, in nats,
   from 0; a null pointer if it is not wanted. */
static inline int digitnet_answer(const float pixels[DIGITNET_PIXELS],
                                  float probabilities[DIGITNET_CLASSES], float *evidence);

/* Return 1 if the network computes for the sample in this header what digitnet computed, else 0. */
static inline int digitnet_check(void);
