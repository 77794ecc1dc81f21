/* Decodes Gambit's bundles from C, and from whatever calls C functions: libGambitRuntime.

   A model is used by one thread at a time; different models by different threads. Nothing is thrown and nothing aborts for
   what a caller can get wrong: functions that can fail take the address of a text, which they set to one sentence where it is
   not NULL; give it back with gambit_free_text. */
#ifndef GAMBIT_H
#define GAMBIT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A bundle that is being decoded, with the keys and values of the tokens so far. */
typedef struct gambit_model gambit_model;

/* Opens a bundle's folder. Its weights are unpacked into the user's cache where they are not there yet (GAMBIT_CACHE).

   sparsity  which of the bundle's sparsities; a negative number for its default
   capacity  the most tokens that will be fed, 1 to the model's context; 0 for all of that
   threads   that share the work of a token, 1 to 1024; 0 for as many as there are processors

   NULL where it fails. Close it with gambit_close. */
gambit_model *gambit_open(const char *path, double sparsity, int32_t capacity, int32_t threads, char **error);

/* Gives back everything of a model. NULL is no model and does nothing. */
void gambit_close(gambit_model *model);

/* How many logits there are: token ids are below it. */
int32_t gambit_vocabulary_size(const gambit_model *model);

/* Tokens fed so far. */
int32_t gambit_position(const gambit_model *model);

/* Feeds tokens, one after the other, and computes the logits behind the last.

   sparse    0 keeps every channel; otherwise thresholds decide what is kept

   A prompt is best fed dense and at once. Returns 0, or -1 where it fails, and then nothing was fed. */
int32_t gambit_feed(gambit_model *model, const int32_t *tokens, int32_t count, int32_t sparse, char **error);

/* gambit_vocabulary_size logits behind the last token; valid until the model is fed, reset or closed. NULL before any. */
const float *gambit_logits(const gambit_model *model);

/* Forgets all tokens. */
void gambit_reset(gambit_model *model);

/* The ids of a UTF-8 text, special tokens that models expect before a text included. Writes up to room of them, and
   returns how many there are, or -1 where it fails. */
int32_t gambit_encode(gambit_model *model, const char *text, int32_t *tokens, int32_t room, char **error);

/* The text of tokens, UTF-8; ids outside the vocabulary are nothing. Give it back with gambit_free_text. */
char *gambit_decode(gambit_model *model, const int32_t *tokens, int32_t count);

/* Gives back a text that a function here made. NULL does nothing. */
void gambit_free_text(char *text);

#ifdef __cplusplus
}
#endif
#endif
