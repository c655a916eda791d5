/* What the Go side needs of PocketSphinx: whole utterances that can be given
 * up half-way, and live ones. A handle belongs to one thread at a time. */
#ifndef PARLEY_POCKETSPHINX_GLUE_H
#define PARLEY_POCKETSPHINX_GLUE_H

#include <stddef.h>
#include <stdint.h>

typedef struct pps pps;

typedef struct {
    const char *text; /* valid until the next pps_word */
    int start, end;   /* 10 ms steps from the first sample; end is exclusive */
    double posterior; /* 0..1 */
} pps_word;

/* Loads a model; NULL on failure, with the library's reason in why. */
pps *pps_open(const char *hmm, const char *lm, const char *dict, char *why, size_t size);
void pps_close(pps *d);

/* Whole utterance: load, step until it returns 0, finish. A negative result is
 * a failure. pps_abandon ends any utterance without a result. */
int pps_load(pps *d, const int16_t *pcm, size_t samples);
int pps_step(pps *d);
int pps_finish(pps *d);
void pps_abandon(pps *d);

/* Live utterance: begin, then hear and step until it returns 0, any number of times. */
int pps_begin(pps *d);
int pps_hear(pps *d, const int16_t *pcm, size_t samples);
int pps_step_live(pps *d);

/* The words understood so far: calls each yield the next one; 0 after the last. */
void pps_rewind(pps *d);
int pps_next(pps *d, pps_word *word);

#endif
