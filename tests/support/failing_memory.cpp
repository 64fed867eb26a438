#include "support/failing_memory.hpp"

#include <cstdlib>
#include <new>

namespace vknorm::testing {

namespace {

thread_local long left = 0;  // until the one that fails; 0: none will
thread_local int uncounted = 0;
thread_local bool failed = false;

void* allocate(std::size_t bytes, std::size_t alignment) {
    if (left > 0 && uncounted == 0 && --left == 0) {
        failed = true;
        throw std::bad_alloc();
    }
    void* const memory = alignment == 0
                             ? std::malloc(bytes)
                             : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

void plan_bad_alloc(long allocation) {
    failed = false;
    left = allocation;
}

bool end_bad_alloc() {
    left = 0;
    return failed;
}

UncountedMemory::UncountedMemory() {
    ++uncounted;
}
UncountedMemory::~UncountedMemory() {
    --uncounted;
}

}  // namespace vknorm::testing

// Those of arrays and those that do not throw call these.
void* operator new(std::size_t bytes) {
    return vknorm::testing::allocate(bytes, 0);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return vknorm::testing::allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
