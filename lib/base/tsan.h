/* ThreadSanitizer is told where something passes from thread to thread through a library that is not instrumented, as a
 * tag does through libgrpc's queues. Nothing in other builds. */
#ifndef YZ_BASE_TSAN_H
#define YZ_BASE_TSAN_H

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#endif
#ifdef WITH_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define TAG_RELEASE(tag) __tsan_release(tag)
#define TAG_ACQUIRE(tag) __tsan_acquire(tag)
#else
#define TAG_RELEASE(tag) ((void)(tag))
#define TAG_ACQUIRE(tag) ((void)(tag))
#endif

#endif
