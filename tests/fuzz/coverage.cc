// Tells libFuzzer, which is in another library, what the core does: GCC calls these functions at each branch
// and comparison. They are hidden, because AddressSanitizer's library has empty ones of the same names.
#include <dlfcn.h>

#include <cstdint>
#include <cstring>

namespace {

constexpr int kBits = 16;

// A counter per hash of a place in the core. Together more than the core has branches.
uint8_t counters[1 << kBits];

// libFuzzer's description of a counter: an address, of which none is shown, and flags.
struct Place {
    uintptr_t address;
    uintptr_t flags;
};
Place places[1 << kBits];

using Initialize8 = void (*)(uint8_t*, uint8_t*);
using InitializePlaces = void (*)(const Place*, const Place*);
template <typename T>
using Compare = void (*)(T, T);
Compare<uint8_t> compare1, constant1;
Compare<uint16_t> compare2, constant2;
Compare<uint32_t> compare4, constant4;
Compare<uint64_t> compare8, constant8;
void (*choose)(uint64_t, uint64_t*);

template <typename Function>
bool find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

template <typename To, typename From>
To bits_of(From value) {
    To bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return bits;
}

}  // namespace

extern "C" {

// Begins to report to the library, a handle of dlopen. False if that has no libFuzzer.
__attribute__((visibility("default"))) bool escn_report_coverage(void* library) {
    Initialize8 initialize;
    InitializePlaces initialize_places;
    if (!find(library, "__sanitizer_cov_8bit_counters_init", initialize) ||
        !find(library, "__sanitizer_cov_pcs_init", initialize_places)) {
        return false;
    }
    // libFuzzer takes places by their addresses and wants one for each counter.
    for (uintptr_t i = 0; i < 1 << kBits; ++i) places[i] = {reinterpret_cast<uintptr_t>(counters + i), 0};
    initialize(counters, counters + (1 << kBits));
    initialize_places(places, places + (1 << kBits));
    return find(library, "__sanitizer_cov_trace_cmp1", compare1) &&
           find(library, "__sanitizer_cov_trace_cmp2", compare2) &&
           find(library, "__sanitizer_cov_trace_cmp4", compare4) &&
           find(library, "__sanitizer_cov_trace_cmp8", compare8) &&
           find(library, "__sanitizer_cov_trace_const_cmp1", constant1) &&
           find(library, "__sanitizer_cov_trace_const_cmp2", constant2) &&
           find(library, "__sanitizer_cov_trace_const_cmp4", constant4) &&
           find(library, "__sanitizer_cov_trace_const_cmp8", constant8) &&
           find(library, "__sanitizer_cov_trace_switch", choose);
}

void __sanitizer_cov_trace_pc() {
    const auto place = reinterpret_cast<uintptr_t>(__builtin_return_address(0)) -
                       reinterpret_cast<uintptr_t>(&escn_report_coverage);
    uint8_t& counter = counters[static_cast<uint32_t>(place) * 2654435769u >> (32 - kBits)];
    if (counter != UINT8_MAX) ++counter;  // libFuzzer would take 256 times for none
}

// Each ends in a jump, not a call, so that libFuzzer sees the comparison's address as the caller's.
#define ESCN_FORWARD(name, function, type, ...)         \
    void __sanitizer_cov_trace_##name(type a, type b) { \
        if (function) function(__VA_ARGS__);            \
    }
ESCN_FORWARD(cmp1, compare1, uint8_t, a, b)
ESCN_FORWARD(cmp2, compare2, uint16_t, a, b)
ESCN_FORWARD(cmp4, compare4, uint32_t, a, b)
ESCN_FORWARD(cmp8, compare8, uint64_t, a, b)
ESCN_FORWARD(const_cmp1, constant1, uint8_t, a, b)
ESCN_FORWARD(const_cmp2, constant2, uint16_t, a, b)
ESCN_FORWARD(const_cmp4, constant4, uint32_t, a, b)
ESCN_FORWARD(const_cmp8, constant8, uint64_t, a, b)
ESCN_FORWARD(cmpf, compare4, float, bits_of<uint32_t>(a), bits_of<uint32_t>(b))
ESCN_FORWARD(cmpd, compare8, double, bits_of<uint64_t>(a), bits_of<uint64_t>(b))
#undef ESCN_FORWARD

void __sanitizer_cov_trace_switch(uint64_t value, uint64_t* cases) {
    if (choose) choose(value, cases);
}
}
