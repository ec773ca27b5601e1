// Switches between stacks, so that AddressSanitizer knows in builds with it which one a thread runs on.
// ThreadSanitizer need not know: all fibers of a block run on one thread.
#pragma once

#include <setjmp.h>

#include <cstddef>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#include <dlfcn.h>
#endif

namespace emulated {

struct Stack {
    const void* bottom = nullptr;
    std::size_t bytes = 0;
    void* frames = nullptr;  // AddressSanitizer's
};

// The last call but one before the thread continues on another stack.
inline void leave([[maybe_unused]] Stack& from, [[maybe_unused]] Stack& to) {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(&from.frames, to.bottom, to.bytes);
#endif
}

// The first call after that. Learns the bounds of the stack that the thread was on.
inline void arrive([[maybe_unused]] Stack& at, [[maybe_unused]] Stack& from) {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(at.frames, &from.bottom, &from.bytes);
#endif
}

// Does not return. A sanitizer's own _longjmp expects to stay on one stack: AddressSanitizer's makes a system
// call and no longer checks the variables on the stack, ThreadSanitizer's does not find the place.
inline void jump(jmp_buf& place) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    using Jump = void (*)(jmp_buf, int);
    static const auto library = reinterpret_cast<Jump>(dlsym(dlopen("libc.so.6", RTLD_LAZY), "_longjmp"));
    library(place, 1);
#else
    _longjmp(place, 1);
#endif
}

}  // namespace emulated
