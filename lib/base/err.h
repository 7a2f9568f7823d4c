/*
 * Errors: one enum for the whole project, and the conventions of lib/.
 *
 * Conventions (they hold everywhere, headers only state what departs from them)
 *  - A function that can fail returns `enum err`; 0 (ERR_OK) is success. No other polarity exists.
 *  - Outputs are written last: on failure every output is as it was before, or NULL/empty.
 *  - Memory comes from the arena that is passed in, unless a *_free() stands beside the constructor.
 *    Free functions accept NULL.
 *  - `struct span` arguments are views; they are never freed and never outlive what they point into.
 *  - Text is UTF-8 and NUL-terminated when it is `const char *`, never NULL unless said so.
 *  - Times are `int64_t` milliseconds since 1970-01-01T00:00:00Z; 0 means "not known".
 *  - Sizes are in bytes.
 *  - A verdict about a document is never an error (see verify/report.h): an error means "could not judge".
 *  - Errors and notes never contain keys, tokens or personal data.
 */
#ifndef YZ_BASE_ERR_H
#define YZ_BASE_ERR_H

#include <stddef.h>

/* Who is to blame, and so what the caller can do. The server maps each class to one gRPC status. */
enum err_class {
	ERRC_OK,
	ERRC_INVALID,         /* the request itself is wrong, whatever the state: INVALID_ARGUMENT */
	ERRC_UNAUTHENTICATED, /* we do not know you: UNAUTHENTICATED */
	ERRC_DENIED,          /* we know you, and you may not: PERMISSION_DENIED */
	ERRC_NOT_FOUND,       /* NOT_FOUND */
	ERRC_EXISTS,          /* ALREADY_EXISTS */
	ERRC_PRECONDITION,    /* right request, wrong state: FAILED_PRECONDITION */
	ERRC_EXHAUSTED,       /* a limit; try later or ask for less: RESOURCE_EXHAUSTED */
	ERRC_DEADLINE,        /* DEADLINE_EXCEEDED */
	ERRC_CANCELLED,       /* CANCELLED */
	ERRC_UNAVAILABLE,     /* our store or a source is not there now; try again: UNAVAILABLE */
	ERRC_DATA,            /* bytes that are not what they claim to be (files, stored rows): DATA_LOSS */
	ERRC_INTERNAL         /* our fault: INTERNAL */
};

/* X(symbol, class, sentence for people: what was wrong and what to do). The stable reason code is the
 * symbol without ERR_. A reason never changes its class. */
#define ERR_TABLE(X)                                                                                                   \
	X(OK, OK, "Done.")                                                                                                 \
	/* the caller's request */                                                                                         \
	X(FIELD_MISSING, INVALID, "A mandatory field is empty. Fill it in and ask again.")                                 \
	X(FIELD_INVALID, INVALID, "A field does not have the form that it must have. Correct it and ask again.")           \
	X(FIELD_UNKNOWN, INVALID, "The licence type does not define this field. Leave it out.")                            \
	X(FIELD_TOO_LONG, INVALID, "A field is longer than allowed. Shorten it.")                                          \
	X(TEXT_INVALID, INVALID, "Text must be valid UTF-8 without NUL or control characters.")                            \
	X(MESSAGE_INVALID, INVALID, "The request message could not be decoded within its limits.")                         \
	X(REQUEST_ID_MISSING, INVALID, "State a request_id of 16 random bytes.")                                           \
	X(REQUEST_ID_REUSED, INVALID, "This request_id was used for another request. Make a new one.")                     \
	X(PURPOSE_MISSING, INVALID, "State the purpose of the use.")                                                       \
	X(CASE_MISSING, INVALID, "State the case number that the use belongs to.")                                         \
	X(ITEM_MISSING, INVALID, "State the service item.")                                                                \
	X(OPERATOR_MISSING, INVALID, "Name the operator: id, name and terminal.")                                          \
	X(BASIS_MISSING, INVALID, "A statutory use must state its legal basis.")                                           \
	X(PRESENTER_MISSING, INVALID, "Name the presenter, the capacity and how the citizen was authenticated.")           \
	X(HOLDER_CODE_INVALID, INVALID, "The holder's code fails its check. Correct the code or its type.")                \
	X(ORG_CODE_INVALID, INVALID, "The unified social credit code fails its check.")                                    \
	X(LICENCE_ID_INVALID, INVALID, "The licence identifier fails its check (GB/T 36904).")                             \
	X(CODE_MALFORMED, INVALID, "This is not a show-code of this service. Scan it again.")                              \
	X(TIME_INVALID, INVALID, "A time is not in the form that is asked for, or out of order.")                          \
	X(DOCUMENT_INVALID, INVALID, "This is no OFD package that could be sealed. See what is named.")                    \
	X(STAMP_INVALID, INVALID, "A stamp has no place on its page. Correct page and position.")                          \
	X(STATE_CHANGE_INVALID, INVALID, "This change of state is not defined.")                                           \
	X(ROLES_CONFLICT, INVALID, "These roles exclude one another. Give them to different principals.")                  \
	X(USAGE, INVALID, "The command was not understood. See --help.")                                                   \
	X(CONFIG_INVALID, INVALID, "The configuration is wrong. Correct the line that is named.")                          \
	/* who asks */                                                                                                     \
	X(PRINCIPAL_UNKNOWN, UNAUTHENTICATED, "This certificate is not enrolled. Ask a security administrator.")           \
	X(PRINCIPAL_DISABLED, UNAUTHENTICATED, "This principal is disabled. Ask a security administrator.")                \
	X(PRINCIPAL_EXPIRED, UNAUTHENTICATED, "This key is outside its enrolled validity. Enrol a new one.")               \
	X(FORWARDED_INVALID, UNAUTHENTICATED, "The gateway forwarded no client certificate, or one that is not accepted.") \
	X(FORWARDED_REFUSED, DENIED, "Only a gateway may forward a certificate: a client's, over its own listener.")       \
	X(ROLE_MISSING, DENIED, "Your role does not allow this call.")                                                     \
	X(TYPE_NOT_OWN, DENIED, "This licence type is not among those that you may issue.")                                \
	X(TYPE_NOT_ALLOWED, DENIED, "This licence type is not among those that you may read.")                             \
	X(ITEM_NOT_ALLOWED, DENIED, "This service item is not among those that you may handle.")                           \
	X(SEAL_NOT_OWN, DENIED, "This seal belongs to another organisation.")                                              \
	X(LICENCE_NOT_OWN, DENIED, "This licence was issued by another organisation.")                                     \
	X(STATUTORY_NOT_GRANTED, DENIED, "You have no statutory right of use. Ask for a show-code instead.")               \
	X(CODE_AUDIENCE, DENIED, "This code was made for somebody else. Ask the citizen for a new one.")                   \
	/* what is asked for */                                                                                            \
	X(CODE_UNKNOWN, NOT_FOUND, "No such code. Ask the citizen to show a new one.")                                     \
	X(SEAL_UNKNOWN, NOT_FOUND, "No such seal.")                                                                        \
	X(LICENCE_UNKNOWN, NOT_FOUND, "No such licence.")                                                                  \
	X(TYPE_UNKNOWN, NOT_FOUND, "No such licence type in the catalogue.")                                               \
	X(ITEM_UNKNOWN, NOT_FOUND, "No such service item in the catalogue.")                                               \
	X(RECEIPT_UNKNOWN, NOT_FOUND, "No such receipt.")                                                                  \
	X(NOT_FOUND, NOT_FOUND, "Not found.")                                                                              \
	X(ALREADY_EXISTS, EXISTS, "It exists already with other contents. Use another identifier.")                        \
	/* state */                                                                                                        \
	X(CODE_EXPIRED, PRECONDITION, "The code has expired. Ask the citizen to show a new one.")                          \
	X(CODE_USED, PRECONDITION, "The code was used already. Ask the citizen to show a new one.")                        \
	X(CODE_CANCELLED, PRECONDITION, "The citizen has cancelled the code.")                                             \
	X(CODE_KIND, PRECONDITION, "The code is of the other kind (show or use). Ask for the right one.")                  \
	X(CODE_ITEM, PRECONDITION, "The citizen authorised another service item with this code.")                          \
	X(PREVIEW_CHANGED, PRECONDITION, "What would leave has changed since the preview. Show it again.")                 \
	X(NOTHING_TO_SHOW, PRECONDITION, "The holder has no licence that this code could carry.")                          \
	X(SEAL_NOT_USABLE, PRECONDITION, "The seal is suspended, revoked or out of date.")                                 \
	X(SEAL_KEY_MISSING, PRECONDITION, "The service holds no signing key for this seal.")                               \
	X(VERDICT_KEY_MISSING, PRECONDITION, "The service holds no key for signing verdicts. Ask without a receipt.")      \
	X(SEAL_INVALID, PRECONDITION, "The seal does not verify. See the report.")                                         \
	X(DOCUMENT_LOCKED, PRECONDITION, "An earlier signature locks the document: it cannot be signed again.")            \
	X(DOCUMENT_ALTERED, PRECONDITION, "An earlier signature of the document does not verify. It is not sealed.")       \
	X(LICENCE_STATE, PRECONDITION, "The licence's state does not allow this change.")                                  \
	X(LAST_SECURITY, PRECONDITION, "This would leave no active security administrator.")                               \
	X(UNIMPLEMENTED, PRECONDITION, "This service does not have this method.")                                          \
	/* limits and time */                                                                                              \
	X(OVERLOADED, EXHAUSTED, "The service is busy. Try again after the stated delay.")                                 \
	X(OPERATOR_LIMIT, EXHAUSTED, "This operator has reached the limit of calls. Try again later.")                     \
	X(PRINCIPAL_LIMIT, EXHAUSTED, "This principal has reached the limit of calls. Try again later.")                   \
	X(TOO_LARGE, EXHAUSTED, "The input is larger than allowed.")                                                       \
	X(BUDGET, EXHAUSTED, "The request needs more memory than its budget.")                                             \
	X(DEADLINE, DEADLINE, "The call's deadline is over. Allow more time.")                                             \
	X(CANCELLED, CANCELLED, "The call was cancelled.")                                                                 \
	/* the store and other parts that may be away */                                                                   \
	X(STORE_BUSY, UNAVAILABLE, "The store is busy. Try again.")                                                        \
	X(STORE_FULL, UNAVAILABLE, "The disk of the store is full. Nothing was changed. Free space and try again.")        \
	X(STORE_IO, UNAVAILABLE, "The store could not be read or written. Nothing was changed. See the log.")              \
	X(STORE_UNSURE, UNAVAILABLE, "The store was lost while writing. Whether it was done shows the same request_id.")   \
	X(STORE_CHANGED, UNAVAILABLE, "What the decision was based on has changed. Try again.")                            \
	X(SOURCE_UNAVAILABLE, UNAVAILABLE, "The source of the licence could not be reached. Try again.")                   \
	X(STORE_SERVED, UNAVAILABLE, "Another process serves or restores this store. Stop that one first.")                \
	X(STOPPING, UNAVAILABLE, "The service is stopping. Try again.")                                                    \
	X(PORT_TAKEN, UNAVAILABLE, "The address is taken or cannot be bound. Stop the other server or change it.")         \
	X(SERVER_UNREACHABLE, UNAVAILABLE, "The server could not be reached. Check address and certificates.")             \
	/* data */                                                                                                         \
	X(FORMAT, DATA, "The bytes do not have the structure that they must have.")                                        \
	X(VERSION_UNSUPPORTED, DATA, "The structure is of a version that is not read here.")                               \
	X(SIGNATURE_BAD, DATA, "The signature value does not fit the signed bytes and the key.")                           \
	X(STORE_NEWER, DATA, "The store was written by a newer version. Install that version.")                            \
	X(STORE_NOT_INIT, DATA, "The store does not exist or is empty. Run 'yinzhengd init'.")                             \
	X(STORE_CORRUPT, DATA, "The store's contents are damaged. Restore a backup.")                                      \
	X(MASTER_KEY_WRONG, DATA, "The master key does not belong to this store.")                                         \
	X(KEY_UNREADABLE, DATA, "The private key could not be read: wrong file, type or passphrase.")                      \
	X(CERT_UNREADABLE, DATA, "The certificate could not be read.")                                                     \
	X(KEY_CERT_MISMATCH, DATA, "The private key and the certificate do not belong together.")                          \
	X(IMAGE_INVALID, DATA, "The image could not be decoded.")                                                          \
	X(QR_NONE, DATA, "No QR code was found in the image.")                                                             \
	X(QR_SEVERAL, DATA, "The image holds several QR codes. Show just one.")                                            \
	X(FILE_UNREADABLE, DATA, "The file could not be read.")                                                            \
	X(FILE_UNWRITABLE, DATA, "The file could not be written.")                                                         \
	/* ours */                                                                                                         \
	X(NO_MEMORY, INTERNAL, "Out of memory.")                                                                           \
	X(CRYPTO, INTERNAL, "The cryptographic library refused an operation that must succeed.")                           \
	X(RANDOM, INTERNAL, "No randomness is to be had.")                                                                 \
	X(INTERNAL, INTERNAL, "An error of ours. Please report it with the time of the call.")

enum err {
#define X(sym, cls, text) ERR_##sym,
	ERR_TABLE(X)
#undef X
	    ERR_COUNT
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* The stable reason code, e.g. "CODE_USED"; "INTERNAL" for a number out of range. */
const char *err_name(enum err e);
enum err_class err_class_of(enum err e);
/* The sentence of the table: what was wrong and what to do. */
const char *err_help(enum err e);

/* What a refusal says beside its code. Fixed size, so that it can be filled without memory. */
struct err_note {
	enum err code;
	char field[64]; /* the field at fault, in the contract's spelling, "" when none */
	char help[224]; /* more than the table's sentence, "" when none */
};

/* Fill `note` (may be NULL) and return `code`, so that `return err_note_set(…)` reads as a refusal.
 * `field` may be NULL. `fmt` must never be given personal values. */
enum err err_note_set(struct err_note *note, enum err code, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The sentence to show: note->help when there is one, else the table's. */
const char *err_note_text(const struct err_note *note);

#endif
