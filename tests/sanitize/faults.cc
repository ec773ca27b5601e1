// Commits the fault that its argument names. A build with sanitizers must end it with a report; otherwise it
// exits with 0.
#include <climits>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace {

volatile int one = 1;  // unknown to the compiler

// Does not know the array's size.
[[gnu::noinline]] int element(const int* values, int index) { return values[index]; }

void heap() {
    const std::unique_ptr<int[]> values(new int[8]());
    std::printf("%d\n", element(values.get(), 7 + one));
}

void stack() {
    const int values[8] = {one};
    std::printf("%d\n", element(values, 7 + one));
}

void freed() {
    int* const values = new int[8]();
    delete[] values;
    std::printf("%d\n", element(values, one));
}

[[gnu::noinline]] void leak() { std::memset(new char[1000], one, 1000); }

void overflow() { std::printf("%d\n", INT_MAX + one); }

void conversion() { std::printf("%d\n", static_cast<int>(1e30f * static_cast<float>(one))); }

void division() { std::printf("%g\n", 1.0 / (one - 1)); }

void vector() {
    const std::vector<int> values(8);
    std::printf("%d\n", values[7 + one]);
}

void race() {
    int count = 0;
    const auto add = [&] {
        for (int i = 0; i < 1000; ++i) count += one;
    };
    std::thread other(add);
    add();
    other.join();
    std::printf("%d\n", count);
}

struct Fault {
    const char* name;
    void (*commit)();
};

constexpr Fault kFaults[] = {
    {"heap", heap},         {"stack", stack},       {"freed", freed},
    {"leak", leak},         {"overflow", overflow}, {"conversion", conversion},
    {"division", division}, {"vector", vector},     {"race", race},
};

}  // namespace

int main(int count, char** arguments) {
    for (const Fault& fault : kFaults) {
        if (count == 2 && std::strcmp(arguments[1], fault.name) == 0) {
            fault.commit();
            return 0;
        }
    }
    std::fputs("usage: faults NAME\n", stderr);
    return 0;
}
