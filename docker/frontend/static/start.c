/*
 * Starts nginx with its configuration filled in from the environment, so that the image needs no shell:
 * ${BACKEND_URL} and ${PORT} in the template become what the variables say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const TEMPLATE = "/etc/nginx/nginx.conf.template";
static const char *const CONFIGURATION = "/tmp/nginx.conf";

static void fail(const char *message) {
  fprintf(stderr, "frontend: %s\n", message);
  exit(1);
}

/* Ends the start unless the text holds nothing that could be more than a value to nginx. */
static const char *check(const char *text, const char *allowed, const char *message) {
  if (*text == '\0' || text[strspn(text, allowed)] != '\0') fail(message);
  return text;
}

static const char *read_port(void) {
  const char *port = getenv("PORT");
  return check(port ? port : "3000", "0123456789", "PORT must be a number.");
}

/* Scheme, host and port; a slash at the end is not part of it. */
static const char *read_backend(void) {
  static const char message[] = "BACKEND_URL must look like http://backend-service:8000.";
  const char *given = getenv("BACKEND_URL");
  char *url = strdup(given ? given : "http://backend-service:8000");
  if (url == NULL) fail("out of memory");
  while (*url != '\0' && url[strlen(url) - 1] == '/') url[strlen(url) - 1] = '\0';
  const char *host = strstr(url, "://");
  if (host == NULL || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)) fail(message);
  check(host + 3, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]", message);
  return url;
}

/* Copies the line, with every occurrence of the name replaced. */
static void write_line(FILE *to, const char *line, const char *const names[], const char *const values[]) {
  while (*line != '\0') {
    int which = -1;
    for (int i = 0; names[i] != NULL; i++)
      if (strncmp(line, names[i], strlen(names[i])) == 0) which = i;
    if (which < 0) {
      fputc(*line++, to);
    } else {
      fputs(values[which], to);
      line += strlen(names[which]);
    }
  }
}

int main(void) {
  const char *const names[] = {"${BACKEND_URL}", "${PORT}", NULL};
  const char *const values[] = {read_backend(), read_port(), NULL};
  FILE *from = fopen(TEMPLATE, "r");
  FILE *to = fopen(CONFIGURATION, "w");
  if (from == NULL) fail("the template of the configuration cannot be read.");
  if (to == NULL) fail("/tmp cannot be written: mount a volume in memory there.");
  char line[4096];
  while (fgets(line, sizeof line, from) != NULL) write_line(to, line, names, values);
  if (fclose(to) != 0) fail("/tmp is full.");
  execl("/usr/sbin/nginx", "nginx", "-e", "stderr", "-c", CONFIGURATION, "-g", "daemon off;", (char *)NULL);
  fail("nginx cannot be started.");
}
