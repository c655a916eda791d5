#ifndef PARLEY_FLITE_SHIM_H
#define PARLEY_FLITE_SHIM_H

#include <stdint.h>

// parley_flite_voice returns the voice of that name (a cst_voice), which lives
// as long as the process, or NULL.
void *parley_flite_voice(const char *name);

// parley_flite_say speaks text and calls parleyFliteAudio for each piece. It
// returns 0 if flite failed or gave another rate than 16 kHz.
int parley_flite_say(void *voice, const char *text, float stretch, uintptr_t handle);

#endif
