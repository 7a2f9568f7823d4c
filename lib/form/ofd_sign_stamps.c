/* Where the stamps of a signature go, and whether they are on their pages. */
#include <stdio.h>

#include "form/ofd_sign_parts.h"

struct layout {
	struct ofd_package *p;
	const struct ofd_sign_request *q;
	struct ofd_pages pages;
	struct placed *list;
	size_t n;
	struct err_note *note;
};

/* Two decimals are enough for people. */
static const char *mm(int64_t um, char out[24])
{
	snprintf(out, 24, "%lld.%02lld", (long long)(um / 1000), (long long)(um % 1000 / 10));
	return out;
}

static enum err size_of(struct layout *l, struct ofd_page *page)
{
	struct ofd_fault fault = {0};

	return ofd_sign_fault(l->note, ofd_page_size(l->p, &l->pages, page, &fault), &fault);
}

static enum err place_stamp(struct layout *l, size_t i)
{
	const struct ofd_stamp *s = &l->q->stamps[i];
	struct ofd_page *page;
	char field[48], w[24], h[24];
	enum err e;

	snprintf(field, sizeof(field), "stamps[%zu]", i);
	if (s->page == 0 || s->page > l->pages.n)
		return err_note_set(l->note, ERR_STAMP_INVALID, field, "There is no page %llu; the document has %zu.",
		                    (unsigned long long)s->page, l->pages.n);
	page = &l->pages.pages[s->page - 1];
	e = size_of(l, page);
	if (e != ERR_OK)
		return e;
	if (s->x < 0 || s->y < 0 || s->x > page->width - l->q->seal_width || s->y > page->height - l->q->seal_height)
		return err_note_set(l->note, ERR_STAMP_INVALID, field,
		                    "The stamp reaches beyond the page, which is %s x %s mm.", mm(page->width, w),
		                    mm(page->height, h));
	l->list[l->n++] = (struct placed){page->id, s->x, s->y, l->q->seal_width, l->q->seal_height, false, 0, 0};
	return ERR_OK;
}

/* The slice of one page, from the left of the picture. */
static enum err place_slice(struct layout *l, size_t k)
{
	const struct ofd_riding *r = &l->q->riding;
	struct ofd_page *page = &l->pages.pages[k];
	bool right = r->side == OFD_SIDE_RIGHT;
	int64_t n = (int64_t)l->pages.n, i = right ? (int64_t)k : n - 1 - (int64_t)k;
	int64_t from = l->q->seal_width * i / n, to = l->q->seal_width * (i + 1) / n, y;
	enum err e = size_of(l, page);

	if (e != ERR_OK)
		return e;
	y = (r->centre != 0 ? r->centre : page->height / 2) - l->q->seal_height / 2;
	if (y < 0 || y > page->height - l->q->seal_height || to - from > page->width)
		return err_note_set(l->note, ERR_STAMP_INVALID, "riding", "The seal reaches beyond page %zu.", k + 1);
	l->list[l->n++] = (struct placed){
	    page->id, right ? page->width - to : -from, y, l->q->seal_width, l->q->seal_height, true, from, to - from};
	return ERR_OK;
}

static enum err place_riding(struct layout *l)
{
	enum err e = ERR_OK;

	if (l->pages.n < 2)
		return err_note_set(l->note, ERR_STAMP_INVALID, "riding", "A riding seal needs at least two pages.");
	if (l->q->seal_width / (int64_t)l->pages.n < OFD_SLICE_MIN)
		return err_note_set(l->note, ERR_STAMP_INVALID, "riding",
		                    "The document has too many pages (%zu) for one riding seal of this width.", l->pages.n);
	for (size_t k = 0; e == ERR_OK && k < l->pages.n; k++)
		e = place_slice(l, k);
	return e;
}

static enum err place_all(struct layout *l)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < l->q->n_stamps; i++)
		e = place_stamp(l, i);
	if (e == ERR_OK && l->q->riding.side != OFD_SIDE_NONE)
		e = place_riding(l);
	return e;
}

enum err ofd_place(struct ofd_package *p, struct arena *a, const struct ofd_document *doc,
                   const struct ofd_sign_request *q, struct placed **out, size_t *n, struct err_note *note)
{
	struct layout l = {.p = p, .q = q, .note = note};
	struct ofd_fault fault = {0};
	enum err e;

	if (q->n_stamps == 0 && q->riding.side == OFD_SIDE_NONE)
		return err_note_set(note, ERR_STAMP_INVALID, "stamps", "State a stamp or a riding seal.");
	if (q->n_stamps > OFD_STAMPS_MAX)
		return err_note_set(note, ERR_STAMP_INVALID, "stamps", "At most %d stamps are allowed.", OFD_STAMPS_MAX);
	if (q->seal_width <= 0 || q->seal_height <= 0 || q->seal_width > OFD_LENGTH_MAX || q->seal_height > OFD_LENGTH_MAX)
		return err_note_set(note, ERR_STAMP_INVALID, NULL, "The seal does not state the size of its picture.");
	e = ofd_sign_fault(note, ofd_read_pages(p, a, doc, &l.pages, &fault), &fault);
	if (e != ERR_OK)
		return e;
	l.list = arena_array(a, q->n_stamps + l.pages.n, sizeof(*l.list));
	e = l.list != NULL ? place_all(&l) : ERR_BUDGET;
	if (e == ERR_OK) {
		*out = l.list;
		*n = l.n;
	}
	return e;
}
