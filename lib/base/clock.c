#include "base/clock.h"

#include <time.h>

enum { SECOND = 1000, DAY_SECONDS = 86400 };

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z */
static const int64_t first_ms = -62135596800000, last_ms = 253402300799999;

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec / 1000000;
}

static int64_t system_now(void *arg)
{
	(void)arg;
	return read_ms(CLOCK_REALTIME);
}

static int64_t system_steady(void *arg)
{
	(void)arg;
	return read_ms(CLOCK_BOOTTIME);
}

static int64_t fixed_now(void *arg)
{
	return *(const _Atomic int64_t *)arg;
}

static int64_t no_steady(void *arg)
{
	(void)arg;
	return 0;
}

struct clock clock_system(void)
{
	return (struct clock){.now = system_now, .steady = system_steady};
}

struct clock clock_fixed(_Atomic int64_t *ms)
{
	return (struct clock){.now = fixed_now, .steady = no_steady, .arg = ms};
}

int64_t clock_now(const struct clock *c)
{
	return c->now(c->arg);
}

int64_t clock_steady(const struct clock *c)
{
	return c->steady(c->arg);
}

int64_t clock_monotonic_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. Years are counted from March, so that
 * the leap day is the last one, and in eras of 400 years; y >= 1. */
static int64_t days_of_date(int y, int mo, int d)
{
	int64_t year = mo <= 2 ? y - 1 : y;
	int64_t era = year / 400, of_era = year % 400;
	int64_t of_year = (153 * (mo > 2 ? mo - 3 : mo + 9) + 2) / 5 + d - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of_days(int64_t days, int *y, int *mo, int *d)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day = z - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*d = (int)(of_year - (153 * month + 2) / 5 + 1);
	*mo = (int)(month < 10 ? month + 3 : month - 9);
	*y = (int)(year + era * 400 + (*mo <= 2 ? 1 : 0));
}

static int days_in_month(int y, int mo)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return mo == 2 && leap ? 29 : days[mo - 1];
}

enum err time_from_parts(int y, int mo, int d, int h, int mi, int s, int64_t *ms)
{
	if (y < 1 || y > 9999 || mo < 1 || mo > 12 || d < 1 || d > days_in_month(y, mo))
		return ERR_TIME_INVALID;
	if (h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59)
		return ERR_TIME_INVALID;
	*ms = (days_of_date(y, mo, d) * DAY_SECONDS + h * 3600 + mi * 60 + s) * SECOND;
	return ERR_OK;
}

void time_to_parts(int64_t ms, int *y, int *mo, int *d, int *h, int *mi, int *s)
{
	int64_t secs = ms / SECOND - (ms % SECOND < 0 ? 1 : 0);
	int64_t days = secs / DAY_SECONDS - (secs % DAY_SECONDS < 0 ? 1 : 0);
	int rest = (int)(secs - days * DAY_SECONDS);

	date_of_days(days, y, mo, d);
	*h = rest / 3600;
	*mi = rest / 60 % 60;
	*s = rest % 60;
}

/* n digits and a sign; where the next comes. Every report has many times: printf would show in what it costs. */
static char *put(char *out, int v, int n, char sign)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		out[i] = (char)('0' + v % 10);
	out[n] = sign;
	return out + n + 1;
}

char *time_format(int64_t ms, char out[TIME_TEXT])
{
	int y, mo, d, h, mi, s, milli = (int)(ms % SECOND);

	out[0] = '\0';
	if (ms == 0 || ms < first_ms || ms > last_ms)
		return out;
	time_to_parts(ms, &y, &mo, &d, &h, &mi, &s);
	char *at = put(put(put(out, y, 4, '-'), mo, 2, '-'), d, 2, 'T');
	at = put(put(put(at, h, 2, ':'), mi, 2, ':'), s, 2, milli != 0 ? '.' : 'Z');
	if (milli != 0)
		at = put(at, milli < 0 ? milli + SECOND : milli, 3, 'Z');
	*at = '\0';
	return out;
}

char *time_text(struct arena *a, int64_t ms)
{
	char text[TIME_TEXT];

	time_format(ms, text);
	return text[0] != '\0' ? arena_strdup(a, text) : NULL;
}

/* Exactly n digits at *pos. */
static bool digits(struct span s, size_t *pos, size_t n, int *out)
{
	int v = 0;

	if (n > s.len - *pos)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = s.ptr[*pos + i];

		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (c - '0');
	}
	*pos += n;
	*out = v;
	return true;
}

static bool literal(struct span s, size_t *pos, char c)
{
	if (*pos >= s.len || s.ptr[*pos] != (uint8_t)c)
		return false;
	(*pos)++;
	return true;
}

/* ".1" to ".123456789"; what is finer than a millisecond is dropped. */
static bool fraction(struct span s, size_t *pos, int *milli)
{
	int scale = 100, digit;
	size_t n = 0;

	*milli = 0;
	if (!literal(s, pos, '.'))
		return true;
	while (digits(s, pos, 1, &digit)) {
		*milli += digit * scale;
		scale /= 10;
		n++;
	}
	return n >= 1 && n <= 9;
}

static bool offset(struct span s, size_t *pos, int64_t *ms)
{
	int h, mi, sign;

	*ms = 0;
	if (literal(s, pos, 'Z'))
		return true;
	sign = literal(s, pos, '+') ? 1 : literal(s, pos, '-') ? -1 : 0;
	if (sign == 0 || !digits(s, pos, 2, &h) || !literal(s, pos, ':') || !digits(s, pos, 2, &mi))
		return false;
	*ms = (int64_t)sign * (h * 60 + mi) * 60 * SECOND;
	return h <= 23 && mi <= 59;
}

enum err time_parse(struct span s, int64_t *ms)
{
	int y, mo, d, h = 0, mi = 0, sec = 0, milli = 0;
	int64_t t, shift = 0;
	size_t pos = 0;

	if (!digits(s, &pos, 4, &y) || !literal(s, &pos, '-') || !digits(s, &pos, 2, &mo) || !literal(s, &pos, '-') ||
	    !digits(s, &pos, 2, &d))
		return ERR_TIME_INVALID;
	if (pos < s.len &&
	    (!literal(s, &pos, 'T') || !digits(s, &pos, 2, &h) || !literal(s, &pos, ':') || !digits(s, &pos, 2, &mi) ||
	     !literal(s, &pos, ':') || !digits(s, &pos, 2, &sec) || !fraction(s, &pos, &milli) || !offset(s, &pos, &shift)))
		return ERR_TIME_INVALID;
	if (pos != s.len || time_from_parts(y, mo, d, h, mi, sec, &t) != ERR_OK)
		return ERR_TIME_INVALID;
	t += milli - shift;
	if (t < first_ms || t > last_ms)
		return ERR_TIME_INVALID;
	*ms = t;
	return ERR_OK;
}
