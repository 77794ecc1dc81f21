/* Continues a prompt from a bundle, by the C interface.

   cc -I Sources/RuntimeLibrary Documentation/examples/continue.c -L .build/release -lGambitRuntime \
      -Wl,-rpath,.build/release -o continue
   ./continue artifacts/smollm2-demo/bundle "The capital of France is" 16 */
#include <stdio.h>
#include <stdlib.h>

#include "gambit.h"

static int fail(char *error) {
  fprintf(stderr, "continue: %s\n", error ? error : "no reason was given");
  gambit_free_text(error);
  return 1;
}

int main(int count, char **arguments) {
  if (count != 4) return fail(NULL);
  char *error = NULL;
  gambit_model *model = gambit_open(arguments[1], -1, 512, 0, &error);
  if (!model) return fail(error);

  int32_t tokens[256], room = 256;
  int32_t length = gambit_encode(model, arguments[2], tokens, room, &error);
  if (length < 1 || length > room) return fail(error);
  /* The prompt is read dense but for its last token, all that follows is decoded sparse. */
  if (gambit_feed(model, tokens, length - 1, 0, &error) != 0) return fail(error);
  int32_t next = tokens[length - 1];
  for (int step = atoi(arguments[3]); step > 0; step--) {
    if (gambit_feed(model, &next, 1, 1, &error) != 0) return fail(error);
    const float *logits = gambit_logits(model);
    int32_t best = 0;
    for (int32_t token = 1; token < gambit_vocabulary_size(model); token++)
      if (logits[token] > logits[best]) best = token;
    char *text = gambit_decode(model, &best, 1);
    printf("%d\t%s\n", best, text);
    gambit_free_text(text);
    next = best;
  }
  gambit_close(model);
  return 0;
}
