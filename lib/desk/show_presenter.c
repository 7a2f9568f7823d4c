#include "desk/show.h"

const char *capacity_name(enum capacity c)
{
	static const char *const names[] = {"", "self", "legal_representative", "handler", "guardian", "agent"};

	return (size_t)c < sizeof(names) / sizeof(names[0]) ? names[c] : "";
}

static bool same_person(const struct licence_holder *h, const struct presenter *p)
{
	return strcmp(h->code_type, p->code_type) == 0 && strcmp(h->code, p->code) == 0;
}

static bool is_organisation(const char *code_type)
{
	return strcmp(code_type, "001") == 0;
}

/* Who may present for whom: only what can be told from the codes; the rest is the wallet's word. */
static const char *capacity_fault(const struct licence_holder *h, const struct presenter *p)
{
	switch (p->capacity) {
	case CAPACITY_SELF:
		return same_person(h, p) ? NULL : "In the capacity self the presenter is the holder.";
	case CAPACITY_LEGAL_REPRESENTATIVE:
	case CAPACITY_HANDLER:
		if (!is_organisation(h->code_type))
			return "Legal representatives and handlers present for organisations (code type 001).";
		return is_organisation(p->code_type) ? "The presenter must be a person." : NULL;
	case CAPACITY_GUARDIAN:
	case CAPACITY_AGENT:
		if (same_person(h, p))
			return "Guardians and agents present for somebody else.";
		return is_organisation(p->code_type) ? "The presenter must be a person." : NULL;
	}
	return "State the capacity.";
}

static enum err holder_check(struct desk_call *call, const struct licence_holder *h)
{
	enum err e = need_text(call, h->name, LICENCE_NAME_MAX, ERR_FIELD_MISSING, "holder.name");

	if (e == ERR_OK)
		e = need_text(call, h->code, LICENCE_ID_MAX, ERR_FIELD_MISSING, "holder.code");
	if (e == ERR_OK && holder_code_check(h->code_type, h->code) != ERR_OK)
		e = err_note_set(&call->note, ERR_HOLDER_CODE_INVALID, "holder.code", NULL);
	return e;
}

static enum err person_check(struct desk_call *call, const struct licence_holder *h, const struct presenter *p)
{
	const char *fault;
	enum err e = need_text(call, p->name, LICENCE_NAME_MAX, ERR_PRESENTER_MISSING, "presenter.name");

	if (e == ERR_OK)
		e = need_text(call, p->code_type, DESK_TEXT_MAX, ERR_PRESENTER_MISSING, "presenter.code_type");
	if (e == ERR_OK)
		e = need_text(call, p->code, DESK_TEXT_MAX, ERR_PRESENTER_MISSING, "presenter.code");
	if (e == ERR_OK && p->capacity == 0)
		e = err_note_set(&call->note, ERR_PRESENTER_MISSING, "presenter.capacity", NULL);
	if (e != ERR_OK)
		return e;
	if (holder_code_check(p->code_type, p->code) != ERR_OK)
		return err_note_set(&call->note, ERR_HOLDER_CODE_INVALID, "presenter.code", NULL);
	fault = capacity_fault(h, p);
	return fault == NULL ? ERR_OK : err_note_set(&call->note, ERR_FIELD_INVALID, "presenter.capacity", "%s", fault);
}

/* The citizen was authenticated by the wallet, and just now: a session left open elsewhere is not a presence. */
static enum err authentication_check(struct desk_call *call, const struct presenter *p)
{
	static const char at[] = "presenter.authentication.time";
	int64_t now = desk_now(call);
	enum err e =
	    need_text(call, p->auth_method, DESK_TEXT_MAX, ERR_PRESENTER_MISSING, "presenter.authentication.method");

	if (e == ERR_OK)
		e = may_text(call, p->auth_reference, DESK_TEXT_MAX, "presenter.authentication.reference");
	if (e != ERR_OK)
		return e;
	if (p->auth_level == 0)
		return err_note_set(&call->note, ERR_PRESENTER_MISSING, "presenter.authentication.level", NULL);
	if (p->auth_level > 4)
		return err_note_set(&call->note, ERR_FIELD_INVALID, "presenter.authentication.level", "Levels are 1 to 4.");
	if (p->auth_time == 0)
		return err_note_set(&call->note, ERR_PRESENTER_MISSING, at, NULL);
	if (p->auth_time > now + AUTH_SKEW_MS)
		return err_note_set(&call->note, ERR_TIME_INVALID, at, "The authentication lies in the future.");
	if (p->auth_time < now - AUTH_AGE_MAX_MS)
		return err_note_set(&call->note, ERR_TIME_INVALID, at,
		                    "The authentication is older than 30 minutes. Authenticate the citizen again.");
	return ERR_OK;
}

enum err presenter_check(struct desk_call *call, const struct licence_holder *h, const struct presenter *p)
{
	enum err e = holder_check(call, h);

	if (e == ERR_OK)
		e = person_check(call, h, p);
	return e == ERR_OK ? authentication_check(call, p) : e;
}

void wallet_facts(struct wallet_facts *f, const struct licence_holder *h, const struct presenter *p)
{
	f->level[0] = (char)('0' + p->auth_level % 10);
	f->level[1] = '\0';
	time_format(p->auth_time, f->time);
	f->facts[0] = (struct desk_fact){"holder", h->code, true};
	f->facts[1] = (struct desk_fact){"presenter", p->code, true};
	f->facts[2] = (struct desk_fact){"capacity", capacity_name(p->capacity), false};
	f->facts[3] = (struct desk_fact){"authentication.method", p->auth_method, false};
	f->facts[4] = (struct desk_fact){"authentication.level", f->level, false};
	f->facts[5] = (struct desk_fact){"authentication.time", f->time, false};
	f->facts[6] = (struct desk_fact){"authentication.reference", p->auth_reference, true};
}
