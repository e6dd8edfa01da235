/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/save.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/types.h"

int save_begin(struct save *s, const char *path, struct err *err)
{
	struct stat st;
	bool special = !stat(path, &st) && !S_ISREG(st.st_mode);

	*s = (struct save){.file = stdout};
	if (!strcmp(path, "-"))
		return 0;
	if (strlen(path) >= sizeof(s->path))
		return err_set(err, "%.40s...: %s", path,
			       strerror(ENAMETOOLONG));
	snprintf(s->path, sizeof(s->path), "%s", path);
	if (!special)
		snprintf(s->temporary, sizeof(s->temporary), "%s.%d.part",
			 s->path, (int)getpid());
	s->file = fopen(special ? s->path : s->temporary, "we");
	if (!s->file)
		return err_set(err, "%s: %s", path, strerror(errno));
	return 0;
}

int save_stdout(struct err *err)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	return err_set(err, "stdout: %s", strerror(errno));
}

int save_end(struct save *s, struct err *err)
{
	int failed, reason;

	if (s->file == stdout)
		return save_stdout(err);
	failed = ferror(s->file);
	failed |= fclose(s->file);
	reason = errno;
	if (!failed && *s->temporary)
		failed = rename(s->temporary, s->path);
	if (!failed)
		return 0;
	reason = reason ? reason : errno;
	if (*s->temporary)
		unlink(s->temporary);
	return err_set(err, "%s: %s", s->path, strerror(reason));
}

void save_drop(struct save *s)
{
	if (s->file == stdout)
		return;
	(void)fclose(s->file);
	if (*s->temporary)
		unlink(s->temporary);
}

int save_json(const json_t *json, const char *path, struct err *err)
{
	struct save s;

	if (save_begin(&s, path, err))
		return -1;
	if (!json_dumpf(json, s.file,
			JSON_INDENT(2) | JSON_REAL_PRECISION(9)) &&
	    fputc('\n', s.file) != EOF)
		return save_end(&s, err);
	err_set(err, "%s: %s", s.file == stdout ? "stdout" : path,
		strerror(errno));
	save_drop(&s);
	return -1;
}
