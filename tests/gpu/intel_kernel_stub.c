// Stands between Mesa's driver for Intel GPUs and a kernel that has none: a library to preload, with
// INTEL_NO_HW=1. What the driver asks the kernel's i915 interface about the device named by VKNORM_INTEL_ID
// (a PCI device number, 9a49 for Tiger Lake) is answered as far as compiling needs it, and memory is a file
// in memory.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <i915_drm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

static const char folder[] = "/dev/dri/", primary_node[] = "/dev/dri/card0",
                  render_node[] = "/dev/dri/renderD128";

static bool in_folder(const char* path) {
    return strncmp(path, folder, sizeof folder - 1) == 0;
}

static uint16_t device_id(void) {
    const char* text = getenv("VKNORM_INTEL_ID");
    return (uint16_t)strtoul(text ? text : "9a49", NULL, 16);
}

// ---- libdrm: one device.

struct described {
    drmDevice device;
    drmPciBusInfo bus;
    drmPciDeviceInfo identity;
    char* nodes[DRM_NODE_MAX];
};

static drmDevicePtr describe(void) {
    struct described* all = calloc(1, sizeof *all);
    all->nodes[DRM_NODE_PRIMARY] = (char*)primary_node;
    all->nodes[DRM_NODE_RENDER] = (char*)render_node;
    all->bus.dev = 2;
    all->identity.vendor_id = 0x8086;
    all->identity.device_id = device_id();
    all->identity.revision_id = 1;
    all->device.nodes = all->nodes;
    all->device.available_nodes = 1 << DRM_NODE_RENDER;
    all->device.bustype = DRM_BUS_PCI;
    all->device.businfo.pci = &all->bus;
    all->device.deviceinfo.pci = &all->identity;
    return &all->device;
}

int drmGetDevices2(uint32_t flags, drmDevicePtr devices[], int most) {
    (void)flags, (void)most;
    if (devices) devices[0] = describe();
    return 1;
}

int drmGetDevice2(int file, uint32_t flags, drmDevicePtr* device) {
    (void)file, (void)flags;
    *device = describe();
    return 0;
}

void drmFreeDevice(drmDevicePtr* device) {
    free(*device);
    *device = NULL;
}

void drmFreeDevices(drmDevicePtr devices[], int count) {
    for (int i = 0; i < count; ++i) drmFreeDevice(&devices[i]);
}

drmVersionPtr drmGetVersion(int file) {
    (void)file;
    drmVersionPtr version = calloc(1, sizeof *version);
    version->version_major = 1;
    version->version_minor = 6;
    version->name = strdup("i915");
    version->name_len = (int)strlen(version->name);
    version->date = strdup("20200101");
    version->desc = strdup("Intel Graphics");
    return version;
}

// ---- Files: those in the folder of devices are ours.

enum { most_files = 1024 };
static bool ours[most_files];

static bool is_ours(int file) {
    return file >= 0 && file < most_files && ours[file];
}

static int open_ours(void) {
    const off_t room = (off_t)1 << 40;  // sparse: what is not written takes none
    const int file = memfd_create("device", 0);
    if (file < 0 || file >= most_files || ftruncate(file, room) != 0) return -1;
    ours[file] = true;
    return file;
}

#define REAL(NAME, RESULT, ...) ((RESULT(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #NAME))

#define DEFINE_OPEN(NAME)                                                                  \
    int NAME(const char* path, int flags, ...) {                                           \
        va_list arguments;                                                                 \
        va_start(arguments, flags);                                                        \
        const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0; \
        va_end(arguments);                                                                 \
        if (in_folder(path)) return open_ours();                                           \
        return REAL(NAME, int, const char*, int, ...)(path, flags, mode);                  \
    }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

int close(int file) {
    if (is_ours(file)) ours[file] = false;
    return REAL(close, int, int)(file);
}

#define DEFINE_STATS(SUFFIX)                                                                  \
    static void fill##SUFFIX(struct stat##SUFFIX* status) {                                   \
        status->st_mode = S_IFCHR | 0666;                                                     \
        status->st_rdev = makedev(226, 128);                                                  \
    }                                                                                         \
    int stat##SUFFIX(const char* path, struct stat##SUFFIX* status) {                         \
        if (!in_folder(path))                                                                 \
            return REAL(stat##SUFFIX, int, const char*, struct stat##SUFFIX*)(path, status);  \
        memset(status, 0, sizeof *status);                                                    \
        fill##SUFFIX(status);                                                                 \
        return 0;                                                                             \
    }                                                                                         \
    int fstat##SUFFIX(int file, struct stat##SUFFIX* status) {                                \
        const int result = REAL(fstat##SUFFIX, int, int, struct stat##SUFFIX*)(file, status); \
        if (is_ours(file)) fill##SUFFIX(status);                                              \
        return result;                                                                        \
    }
DEFINE_STATS()
DEFINE_STATS(64)

// ---- The kernel's answers.

enum { most_objects = 1 << 16 };
static uint32_t last_object = 0;
static uint64_t object_bytes[most_objects], next_offset = 4096;

static uint32_t create_object(uint64_t bytes) {
    const uint32_t handle = ++last_object;
    object_bytes[handle % most_objects] = bytes;
    return handle;
}

// Where an object lies in the device's file; a part of it for each of them.
static uint64_t place_object(uint32_t handle) {
    const uint64_t megabyte = 1 << 20, offset = next_offset;
    next_offset += (object_bytes[handle % most_objects] / megabyte + 2) * megabyte;
    return offset;
}

static int get_parameter(struct drm_i915_getparam* asked) {
    switch (asked->param) {
        case I915_PARAM_CHIPSET_ID:
            *asked->value = device_id();
            return 0;
        case I915_PARAM_CS_TIMESTAMP_FREQUENCY:
            *asked->value = 12000000;
            return 0;
        case I915_PARAM_CMD_PARSER_VERSION:
            *asked->value = 10;
            return 0;
        case I915_PARAM_MMAP_GTT_VERSION:
            *asked->value = 4;  // objects are mapped by offsets
            return 0;
        case I915_PARAM_SUBSLICE_TOTAL:
            *asked->value = 6;
            return 0;
        case I915_PARAM_SUBSLICE_MASK:
            *asked->value = 0x3f;
            return 0;
        case I915_PARAM_EU_TOTAL:
            *asked->value = 96;
            return 0;
        case I915_PARAM_HAS_ALIASING_PPGTT:
            *asked->value = 3;
            return 0;
        case I915_PARAM_PERF_REVISION:
            errno = EINVAL;
            return -1;
        default:
            *asked->value = 1;
            return 0;  // whatever it is, the kernel has it
    }
}

static int answer(unsigned long request, void* argument) {
    switch (request) {
        case DRM_IOCTL_I915_GETPARAM:
            return get_parameter(argument);
        case DRM_IOCTL_I915_GEM_CREATE: {
            struct drm_i915_gem_create* asked = argument;
            asked->handle = create_object(asked->size);
            return 0;
        }
        case DRM_IOCTL_I915_GEM_CREATE_EXT: {
            struct drm_i915_gem_create_ext* asked = argument;
            asked->handle = create_object(asked->size);
            return 0;
        }
        case DRM_IOCTL_I915_GEM_USERPTR: {
            struct drm_i915_gem_userptr* asked = argument;
            asked->handle = create_object(asked->user_size);
            return 0;
        }
        case DRM_IOCTL_I915_GEM_MMAP_OFFSET: {
            struct drm_i915_gem_mmap_offset* asked = argument;
            asked->offset = place_object(asked->handle);
            return 0;
        }
        case DRM_IOCTL_I915_GEM_CONTEXT_CREATE_EXT: {
            struct drm_i915_gem_context_create_ext* asked = argument;
            asked->ctx_id = 1;
            return 0;
        }
        case DRM_IOCTL_I915_GEM_CONTEXT_GETPARAM: {
            struct drm_i915_gem_context_param* asked = argument;
            asked->value = asked->param == I915_CONTEXT_PARAM_GTT_SIZE ? UINT64_C(1) << 48 : 0;
            return 0;
        }
        case DRM_IOCTL_I915_GEM_VM_CREATE: {
            struct drm_i915_gem_vm_control* asked = argument;
            asked->vm_id = 1;
            return 0;
        }
        case DRM_IOCTL_I915_GEM_GET_APERTURE: {
            struct drm_i915_gem_get_aperture* asked = argument;
            asked->aper_size = asked->aper_available_size = UINT64_C(4) << 30;
            return 0;
        }
        case DRM_IOCTL_GET_CAP: {
            struct drm_get_cap* asked = argument;
            asked->value = 1;
            return 0;
        }
        case DRM_IOCTL_SYNCOBJ_CREATE: {
            struct drm_syncobj_create* asked = argument;
            asked->handle = 1;
            return 0;
        }
        case DRM_IOCTL_I915_QUERY:
        case DRM_IOCTL_I915_REG_READ:
            errno = EINVAL;
            return -1;  // an old kernel does not know these
        default:
            return 0;
    }
}

int ioctl(int file, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return is_ours(file) ? answer(request, argument)
                         : REAL(ioctl, int, int, unsigned long, ...)(file, request, argument);
}
