/*
 * The service's signed statements, and the extended key usages that tell their keys apart: a certificate that signs
 * statements of one kind names that kind's purpose, so that it signs no other kind, and no seal.
 *
 * The purposes stand under an arc of our own, 2.25.<UUID as a decimal number> (ITU-T X.667), made once from the random
 * UUID 4f05ce67-aba1-4033-9ff5-e9be0e12fb77; nobody has to register it. They are fixed for good: old statements are
 * judged by them. The CA of an operator must put the right one into each statement certificate (extendedKeyUsage,
 * best critical: software that does not know the purpose then refuses the certificate). certs/openssl.cnf does so.
 */
#ifndef YZ_FORM_STATEMENT_H
#define YZ_FORM_STATEMENT_H

#define STATEMENT_ARC "2.25.105039159541296996231050704801945025399"

#define PURPOSE_RECEIPT    STATEMENT_ARC ".1"
#define PURPOSE_VERDICT    STATEMENT_ARC ".2"
#define PURPOSE_CHECKPOINT STATEMENT_ARC ".3"
#define PURPOSE_SHOW_CODE  STATEMENT_ARC ".4" /* offline show-code */

#endif
