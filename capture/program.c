/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/program.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_ours(const char *head, size_t n)
{
	Elf64_Ehdr h;

	if (n < sizeof(h))
		return false;
	memcpy(&h, head, sizeof(h));
	return !memcmp(h.e_ident, ELFMAG, SELFMAG) &&
	       h.e_ident[EI_CLASS] == ELFCLASS64 && h.e_machine == EM_X86_64 &&
	       (h.e_type == ET_EXEC || h.e_type == ET_DYN);
}

/* "#! INTERPRETER OPTION WITH SPACES" (execve(2)). */
static void parse_script(char *line, struct program *p)
{
	char *end, *word = line + 2 + strspn(line + 2, " \t");

	line[strcspn(line, "\n")] = 0;
	end = word + strcspn(word, " \t");
	snprintf(p->interpreter, sizeof(p->interpreter), "%.*s",
		 (int)(end - word), word);
	snprintf(p->option, sizeof(p->option), "%s", end + strspn(end, " \t"));
	if (p->interpreter[0])
		p->kind = PROGRAM_SCRIPT;
}

void program_look(const char *path, struct program *p)
{
	char head[256] = "";
	struct stat st;
	ssize_t n;
	int fd;

	*p = (struct program){.kind = PROGRAM_NONE};
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK))
		return;
	p->kind = PROGRAM_OTHER;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, head, sizeof(head) - 1);
	(void)close(fd);
	if (n > 2 && head[0] == '#' && head[1] == '!')
		parse_script(head, p);
	else if (n > 0 && is_ours(head, (size_t)n) &&
		 !(st.st_mode & (S_ISUID | S_ISGID)))
		p->kind = PROGRAM_OURS;
}

bool program_find(const char *name, char *path, size_t size)
{
	const char *list = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		return !access(path, X_OK);
	}
	for (const char *p = list ? list : "/bin:/usr/bin"; *p;) {
		size_t n = strcspn(p, ":");

		snprintf(path, size, "%.*s/%s", n ? (int)n : 1, n ? p : ".",
			 name);
		if (!access(path, X_OK))
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}
