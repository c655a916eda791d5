//go:build cgo && !noflite

#include "shim.h"

#include <flite/flite.h>
#include <pthread.h>
#include <string.h>

#include "_cgo_export.h"

cst_voice *register_cmu_us_slt(const char *voxdir);
cst_voice *register_cmu_us_rms(const char *voxdir);
cst_voice *register_cmu_us_awb(const char *voxdir);
cst_voice *register_cmu_us_kal16(const char *voxdir);

enum { rate = 16000, max_tokens = 64, min_piece = 160 };

// Utterances share their voice's feature values, whose reference counts flite
// changes without a lock: when an utterance is set up and when it is deleted.
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;

void *parley_flite_voice(const char *name) {
	static const struct {
		const char *name;
		cst_voice *(*load)(const char *);
	} voices[] = {
		{"slt", register_cmu_us_slt},
		{"rms", register_cmu_us_rms},
		{"awb", register_cmu_us_awb},
		{"kal16", register_cmu_us_kal16},
	};
	cst_voice *voice = NULL;
	pthread_mutex_lock(&shared);
	flite_init();
	for (size_t i = 0; i < sizeof voices / sizeof *voices; i++)
		if (strcmp(voices[i].name, name) == 0)
			voice = voices[i].load(NULL);
	pthread_mutex_unlock(&shared);
	return voice;
}

struct call {
	uintptr_t handle;
	int begun;
	int wrong_rate;
};

// token_times fills times with the start and the end, in seconds, of each token
// and returns their number.
static int token_times(const cst_utterance *utt, float *times) {
	int n = 0;
	if (!utt || !utt_relation_present((cst_utterance *)utt, "Token"))
		return 0;
	for (const cst_item *t = relation_head(utt_relation(utt, "Token")); t && n < max_tokens; t = item_next(t)) {
		const cst_item *first = item_daughter(t), *last = item_last_daughter(t);
		if (!first || !last) {
			times[2 * n] = times[2 * n + 1] = n ? times[2 * n - 1] : 0;
		} else {
			times[2 * n] = flite_ffeature_float(first, "R:SylStructure.daughter1.daughter1.R:Segment.p.end");
			times[2 * n + 1] = flite_ffeature_float(last, "R:SylStructure.daughtern.daughtern.R:Segment.end");
		}
		n++;
	}
	return n;
}

static int on_audio(const cst_wave *w, int start, int size, int last, cst_audio_streaming_info *asi) {
	struct call *c = asi->userdata;
	float times[2 * max_tokens];
	int tokens = 0;
	(void)last;
	if (w->sample_rate != rate || w->num_channels != 1) {
		c->wrong_rate = 1;
		return CST_AUDIO_STREAM_STOP;
	}
	if (!c->begun) {
		c->begun = 1;
		tokens = token_times(asi->utt, times);
	}
	return parleyFliteAudio(c->handle, w->samples + start, size, times, tokens) ? CST_AUDIO_STREAM_CONT : CST_AUDIO_STREAM_STOP;
}

int parley_flite_say(void *voice, const char *text, float stretch, uintptr_t handle) {
	struct call c = {handle, 0, 0};
	cst_utterance *utt = new_utterance();
	cst_audio_streaming_info *asi = new_audio_streaming_info();

	asi->min_buffsize = min_piece;
	asi->asc = on_audio;
	asi->userdata = &c;
	pthread_mutex_lock(&shared);
	flite_feat_set_string(utt->features, "input_text", text);
	utt_init(utt, voice);
	// Of the utterance, not of the voice: that one is shared.
	flite_feat_set(utt->features, "streaming_info", audio_streaming_info_val(asi));
	if (stretch != 1)
		flite_feat_set_float(utt->features, "duration_stretch",
			stretch * flite_get_param_float(utt->features, "duration_stretch", 1));
	pthread_mutex_unlock(&shared);

	int ok = utt_synth(utt) != NULL && c.begun && !c.wrong_rate;

	pthread_mutex_lock(&shared);
	delete_utterance(utt); // and asi with it
	pthread_mutex_unlock(&shared);
	return ok;
}
