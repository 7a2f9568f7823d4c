/* Pictures from outside: decoding within bounds, and the scan of what was decoded. */
#include "picture/png.h"
#include "picture/qr_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(8 << 20);
	struct span bytes = span_of(data, size);
	struct err_note note = {0};
	struct qr_scan scan = {0};
	struct image img;

	if (a == NULL)
		return 0;
	if (image_kind_of(bytes) == IMAGE_PNG && png_read(a, bytes, IMAGE_RGBA, &img, &note) == ERR_OK && img.pix == NULL)
		__builtin_trap();
	/* ZBar on millions of pixels would leave the fuzzer no time for the decoders. */
	if (image_read_grey(a, bytes, &img, &note) == ERR_OK && (uint64_t)img.width * img.height <= 20000 &&
	    qr_scan_image(a, &img, &scan) == ERR_OK && scan.count > QR_SCAN_MAX)
		__builtin_trap();
	arena_free(a);
	return 0;
}
