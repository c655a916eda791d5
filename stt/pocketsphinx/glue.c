//go:build cgo && !nopocketsphinx

/* PocketSphinx normalises the cepstral mean over the whole utterance only when
 * it gets the utterance in one call, which then cannot be stopped. Here the
 * decoder's own normalisation is off: cepstra are computed first (a few
 * milliseconds), their mean is taken off here, and the search, which is where
 * the time goes, runs in small steps. The result is the same to the word, and
 * no state of one utterance reaches the next. */

#include "glue.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <sphinxbase/fe.h>
#include <sphinxbase/feat.h>

enum {
    HOP = 160,      /* samples per frame: 10 ms at 16 kHz */
    WINDOW = 410,   /* samples a frame covers */
    SPARE = 256,    /* frames the front end may hand out at once, held back before speech began */
    LOOKAHEAD = 3,  /* frames the dynamic features reach beyond the last */
    STEP = 2,       /* frames searched at a time */
    LIVE_MIN = 40   /* frames needed before a running mean is worth anything */
};

struct pps {
    ps_decoder_t *ps;
    fe_t *fe;
    int dim;
    mfcc_t *cep;   /* frames x dim, without normalisation until pps_load has done it */
    int *position; /* of each frame in the audio: silence is left out by the front end */
    int frames, capacity, searched;
    long fed; /* samples given to the front end */
    int open; /* an utterance is under way */
    ps_seg_t *seg;
};

static __thread char reason[256];
static pthread_once_t quiet = PTHREAD_ONCE_INIT;

static void keep_reason(void *user, err_lvl_t level, const char *format, ...)
{
    va_list args;
    (void)user;
    if (level < ERR_ERROR)
        return;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
}

static void silence(void)
{
    err_set_logfp(NULL); /* also for what it prints without the callback */
    err_set_callback(keep_reason, NULL);
}

pps *pps_open(const char *hmm, const char *lm, const char *dict, char *why, size_t size)
{
    pthread_once(&quiet, silence);
    reason[0] = 0;
    /* No second, flat pass: it costs time at the end and gains nothing. Fewer
     * words, states and Gaussians per frame: a third less time and half the
     * worst case, for the same errors. */
    cmd_ln_t *config = cmd_ln_init(NULL, ps_args(), TRUE,
        "-hmm", hmm, "-lm", lm, "-dict", dict,
        "-fwdflat", "no", "-maxwpf", "20", "-maxhmmpf", "10000", "-topn", "2", NULL);
    ps_decoder_t *ps = config ? ps_init(config) : NULL;
    if (config)
        cmd_ln_free_r(config); /* the decoder has its own reference */
    pps *d = ps ? calloc(1, sizeof *d) : NULL;
    if (!d) {
        snprintf(why, size, "%s", reason);
        if (ps)
            ps_free(ps);
        return NULL;
    }
    d->ps = ps;
    d->fe = ps_get_fe(ps);
    d->dim = fe_get_output_size(d->fe);
    ps_get_feat(ps)->cmn = CMN_NONE;
    return d;
}

void pps_close(pps *d)
{
    pps_abandon(d);
    ps_free(d->ps);
    free(d->cep);
    free(d->position);
    free(d);
}

static int reserve(pps *d, int frames)
{
    if (frames <= d->capacity)
        return 0;
    int capacity = frames + frames / 2;
    mfcc_t *cep = realloc(d->cep, sizeof *cep * capacity * d->dim);
    if (!cep)
        return -1;
    d->cep = cep;
    int *position = realloc(d->position, sizeof *position * capacity);
    if (!position)
        return -1;
    d->position = position;
    d->capacity = capacity;
    return 0;
}

/* Adds n frames that the front end wrote at d->frames; the newest ends where
 * the audio fed so far does. */
static void accept(pps *d, int n)
{
    int newest = d->fed < WINDOW ? 0 : (int)((d->fed - WINDOW) / HOP);
    for (int i = 0; i < n; i++)
        d->position[d->frames + i] = newest - (n - 1 - i) < 0 ? 0 : newest - (n - 1 - i);
    d->frames += n;
}

static int extract(pps *d, const int16_t *pcm, size_t samples)
{
    mfcc_t *rows[SPARE];
    while (samples > 0) {
        size_t left = samples < HOP ? samples : HOP, piece = left;
        const int16 *p = pcm;
        int32 n = SPARE;
        if (reserve(d, d->frames + SPARE + LOOKAHEAD) < 0)
            return -1;
        for (int i = 0; i < SPARE; i++)
            rows[i] = d->cep + (size_t)(d->frames + i) * d->dim;
        if (fe_process_frames(d->fe, &p, &left, rows, &n, NULL) < 0)
            return -1;
        d->fed += piece;
        accept(d, n);
        pcm += piece - left;
        samples -= piece - left;
        if (left == piece)
            return -1; /* no progress */
    }
    return 0;
}

static int start(pps *d)
{
    pps_abandon(d);
    d->frames = d->searched = 0;
    d->fed = 0;
    if (ps_start_utt(d->ps) < 0)
        return -1;
    d->open = 1;
    fe_start_stream(d->fe); /* forgets the noise of the last utterance */
    return fe_start_utt(d->fe) < 0 ? -1 : 0;
}

/* mean writes the mean of all frames. */
static void mean(const pps *d, double *m)
{
    memset(m, 0, sizeof *m * d->dim);
    for (int i = 0; i < d->frames; i++)
        for (int j = 0; j < d->dim; j++)
            m[j] += d->cep[(size_t)i * d->dim + j];
    for (int j = 0; j < d->dim; j++)
        m[j] /= d->frames;
}

int pps_load(pps *d, const int16_t *pcm, size_t samples)
{
    double m[64];
    int32 tail = 0;
    if (d->dim > 64 || start(d) < 0 || extract(d, pcm, samples) < 0 || reserve(d, d->frames + 1 + LOOKAHEAD) < 0)
        return -1;
    if (fe_end_utt(d->fe, d->cep + (size_t)d->frames * d->dim, &tail) < 0)
        return -1;
    accept(d, tail);
    if (d->frames == 0)
        return 0;
    mean(d, m);
    for (int i = 0; i < d->frames; i++)
        for (int j = 0; j < d->dim; j++)
            d->cep[(size_t)i * d->dim + j] -= (mfcc_t)m[j];
    for (int i = 0; i < LOOKAHEAD; i++) {
        memcpy(d->cep + (size_t)(d->frames + i) * d->dim, d->cep + (size_t)(d->frames - 1) * d->dim, sizeof(mfcc_t) * d->dim);
        d->position[d->frames + i] = d->position[d->frames - 1];
    }
    d->frames += LOOKAHEAD;
    return d->frames;
}

int pps_step(pps *d)
{
    mfcc_t *rows[STEP];
    int n = d->frames - d->searched;
    if (n > STEP)
        n = STEP;
    for (int i = 0; i < n; i++)
        rows[i] = d->cep + (size_t)(d->searched + i) * d->dim;
    if (n > 0 && ps_process_cep(d->ps, rows, n, FALSE, FALSE) < 0)
        return -1;
    d->searched += n;
    return d->frames - d->searched;
}

int pps_finish(pps *d)
{
    d->open = 0;
    return ps_end_utt(d->ps);
}

void pps_abandon(pps *d)
{
    if (d->seg)
        ps_seg_free(d->seg);
    d->seg = NULL;
    if (d->open)
        ps_end_utt(d->ps);
    d->open = 0;
}

int pps_begin(pps *d) { return d->dim > 64 ? -1 : start(d); }

int pps_hear(pps *d, const int16_t *pcm, size_t samples) { return extract(d, pcm, samples); }

int pps_step_live(pps *d)
{
    double m[64];
    mfcc_t row[64], *rows = row;
    if (d->frames < LIVE_MIN || d->searched >= d->frames)
        return 0;
    mean(d, m);
    for (int i = 0; i < STEP && d->searched < d->frames; i++) {
        for (int j = 0; j < d->dim; j++)
            row[j] = d->cep[(size_t)d->searched * d->dim + j] - (mfcc_t)m[j];
        rows = row;
        if (ps_process_cep(d->ps, &rows, 1, FALSE, FALSE) < 0)
            return -1;
        d->searched++;
    }
    return d->frames - d->searched;
}

void pps_rewind(pps *d)
{
    if (d->seg)
        ps_seg_free(d->seg);
    d->seg = d->frames > 0 ? ps_seg_iter(d->ps) : NULL;
}

static int position(const pps *d, int frame)
{
    if (d->frames == 0)
        return 0;
    if (frame >= d->frames)
        frame = d->frames - 1;
    return d->position[frame < 0 ? 0 : frame];
}

int pps_next(pps *d, pps_word *word)
{
    static const char fillers[] = "<[+";
    while (d->seg) {
        int first, last;
        int32 a, l, b;
        word->text = ps_seg_word(d->seg);
        ps_seg_frames(d->seg, &first, &last);
        word->start = position(d, first);
        word->end = position(d, last) + 1;
        word->posterior = logmath_exp(ps_get_logmath(d->ps), ps_seg_prob(d->seg, &a, &l, &b));
        /* The word outlives the iterator's step: it is the dictionary's. */
        d->seg = ps_seg_next(d->seg);
        if (!strchr(fillers, word->text[0]))
            return 1;
    }
    return 0;
}
