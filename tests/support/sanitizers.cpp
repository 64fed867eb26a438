// Defaults of the address and thread sanitizers for programs that load Vulkan drivers.
#ifdef __has_feature
#define VKNORM_HAS_FEATURE(name) __has_feature(name)
#else
#define VKNORM_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_THREAD__) || VKNORM_HAS_FEATURE(thread_sanitizer)

// Drivers and layers are built without it: how their threads wait for each other is not seen.
extern "C" const char* __tsan_default_suppressions() {
    return "race:libvulkan_lvp.so\n"
           "race:libvk_swiftshader.so\n"
           "race:libVkLayer_khronos_validation.so\n"
           "deadlock:libVkLayer_khronos_validation.so\n";  // which takes its own locks in several orders
}

#endif

#if defined(__SANITIZE_ADDRESS__) || VKNORM_HAS_FEATURE(address_sanitizer)

// lavapipe frees and allocates much at every dispatch: a large quarantine makes it a hundred times slower.
extern "C" const char* __asan_default_options() {
    return "quarantine_size_mb=8";
}

// Libraries stay, so that a leak tells whose it is: an unloaded one could not be named below.
extern "C" int dlclose(void*) {
    return 0;
}

extern "C" const char* __lsan_default_options() {
    return "print_suppressions=0";
}

// The layer keeps some of what it tracks until the process ends.
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libVkLayer_khronos_validation.so\n";
}

#endif
