// An archive of arrays: a ZIP file (PKWARE, "APPNOTE.TXT", 4.3), whose directory is at its end.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>
#include <zlib.h>

#include "data/npy.hpp"

namespace vknorm::detail {

namespace {

constexpr std::array<char, 4> end_magic = {'P', 'K', 5, 6}, directory_magic = {'P', 'K', 1, 2},
                              entry_magic = {'P', 'K', 3, 4};
constexpr size_t end_bytes = 22, directory_bytes = 46, entry_bytes = 30, most_comment = 65535;
constexpr uint16_t stored = 0, deflated = 8, encrypted = 1;

/// The archive, read at offsets that it tells itself.
class Archive {
  public:
    Archive(std::span<const std::byte> file, const std::string& name) : file_(file), name_(name) {}

    size_t size() const { return file_.size(); }
    [[noreturn]] void fail(const std::string& what) const { throw FormatError(name_ + ": " + what); }

    std::span<const std::byte> part(uint64_t at, uint64_t bytes) const {
        if (at > file_.size() || bytes > file_.size() - at)
            fail("got " + std::to_string(file_.size()) + " bytes, needs " + std::to_string(bytes) +
                 " from byte " + std::to_string(at) + " on");
        return file_.subspan(at, bytes);
    }
    template <class T>
    T number(uint64_t at) const {
        T value{};
        std::memcpy(&value, part(at, sizeof value).data(), sizeof value);
        return value;
    }
    bool has(const std::array<char, 4>& magic, uint64_t at) const {
        return std::memcmp(part(at, magic.size()).data(), magic.data(), magic.size()) == 0;
    }
    std::string text(uint64_t at, size_t bytes) const {
        const auto letters = part(at, bytes);
        return {reinterpret_cast<const char*>(letters.data()), letters.size()};
    }

  private:
    std::span<const std::byte> file_;
    const std::string& name_;
};

struct Entry {
    std::span<const std::byte> content;  ///< as it stands in the archive
    uint16_t method;
    uint32_t checksum;
    uint64_t bytes;  ///< of the file
};

/// Ends zlib's work whichever way it is left.
struct RawInflater {
    z_stream stream{};
    RawInflater() {
        if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
    }
    ~RawInflater() { inflateEnd(&stream); }
    RawInflater(const RawInflater&) = delete;
    RawInflater& operator=(const RawInflater&) = delete;
};

/// The first bytes of a file in the archive; where these are all, that they are what was put in.
Bytes read_entry(const Entry& entry, const std::string& name, size_t most) {
    const size_t wanted = std::min<uint64_t>(most, entry.bytes);
    Bytes bytes(wanted);
    if (entry.method == stored) {
        std::copy_n(entry.content.begin(), wanted, bytes.begin());
    } else {
        RawInflater inflater;
        z_stream& stream = inflater.stream;
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(entry.content.data()));
        stream.avail_in = static_cast<uInt>(entry.content.size());  // the archive is smaller than that
        // A byte more than is announced tells that it lies.
        std::byte beyond{};
        stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
        stream.avail_out = static_cast<uInt>(wanted);
        int result = wanted == 0 ? Z_OK : inflate(&stream, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR) throw std::bad_alloc();
        size_t done = wanted - stream.avail_out;
        if (done == wanted && wanted == entry.bytes && result != Z_STREAM_END) {
            stream.next_out = reinterpret_cast<Bytef*>(&beyond);
            stream.avail_out = 1;
            result = inflate(&stream, Z_NO_FLUSH);
            if (stream.avail_out == 0) ++done;
        }
        const bool whole = wanted < entry.bytes || result == Z_STREAM_END;
        if (done != wanted || !whole)
            throw FormatError(name + ": got " + (done > wanted ? "more than " : "") +
                              std::to_string(std::min(done, wanted)) +
                              " bytes, or damaged ones, by decompression, needs " +
                              std::to_string(entry.bytes));
    }
    if (wanted == entry.bytes) {
        const uLong checksum =
            crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
        if (checksum != entry.checksum)
            throw FormatError(name + ": got another checksum than the archive has");
    }
    return bytes;
}

uint64_t find_end(const Archive& archive) {
    if (archive.size() < end_bytes)
        archive.fail("got " + std::to_string(archive.size()) + " bytes, needs an archive: .npz");
    const uint64_t last = archive.size() - end_bytes, first = last > most_comment ? last - most_comment : 0;
    for (uint64_t at = last + 1; at-- > first;)
        if (archive.has(end_magic, at)) return at;
    archive.fail("got no directory at the end, needs an archive: .npz");
}

}  // namespace

ArraySources parse_npz(std::span<const std::byte> file, const std::string& name) {
    const Archive archive(file, name);
    const uint64_t end = find_end(archive);
    const auto count = archive.number<uint16_t>(end + 10);
    uint64_t at = archive.number<uint32_t>(end + 16);
    ArraySources arrays;
    for (uint32_t i = 0; i < count; ++i) {
        if (!archive.has(directory_magic, at))
            archive.fail("got no entry " + std::to_string(i + 1) + " of the directory at byte " +
                         std::to_string(at) + ", needs " + std::to_string(count));
        const auto flags = archive.number<uint16_t>(at + 8);
        const uint64_t packed = archive.number<uint32_t>(at + 20);
        const auto name_bytes = archive.number<uint16_t>(at + 28), extra = archive.number<uint16_t>(at + 30),
                   comment = archive.number<uint16_t>(at + 32);
        const uint64_t local = archive.number<uint32_t>(at + 42);
        Entry entry{.content = {},
                    .method = archive.number<uint16_t>(at + 10),
                    .checksum = archive.number<uint32_t>(at + 16),
                    .bytes = archive.number<uint32_t>(at + 24)};
        const std::string entry_name = archive.text(at + directory_bytes, name_bytes);
        at += directory_bytes + name_bytes + extra + comment;
        constexpr const char* suffix = ".npy";
        if (!entry_name.ends_with(suffix)) continue;
        const std::string place = name + ": " + entry_name;
        constexpr uint32_t in_zip64 = std::numeric_limits<uint32_t>::max();
        if (packed == in_zip64 || entry.bytes == in_zip64 || local == in_zip64)
            throw FormatError(place + ": got 4 GiB or more, needs less");
        if ((flags & encrypted) != 0 || (entry.method != stored && entry.method != deflated))
            throw FormatError(place + ": got method " + std::to_string(entry.method) +
                              ((flags & encrypted) != 0 ? ", encrypted" : "") + ", needs stored or deflated");
        if (!archive.has(entry_magic, local))
            throw FormatError(place + ": got no entry where the directory says");
        const uint64_t begin =
            local + entry_bytes + archive.number<uint16_t>(local + 26) + archive.number<uint16_t>(local + 28);
        entry.content = archive.part(begin, packed);
        constexpr uint64_t most_compression = 1032;  // that deflate can do
        if (entry.method == deflated && entry.bytes > most_compression * (packed + 1))
            throw FormatError(place + ": got " + std::to_string(packed) +
                              " compressed bytes, needs those of " + std::to_string(entry.bytes));
        if (entry.method == stored && packed != entry.bytes)
            throw FormatError(place + ": got " + std::to_string(packed) + " bytes stored, needs " +
                              std::to_string(entry.bytes));
        const std::string array = entry_name.substr(0, entry_name.size() - std::strlen(suffix));
        const bool added =
            arrays
                .emplace(array,
                         ArraySource{place, entry.bytes,
                                     [entry, place](size_t most) { return read_entry(entry, place, most); }})
                .second;
        if (!added) throw FormatError(place + ": got it twice, needs each array once");
    }
    return arrays;
}

}  // namespace vknorm::detail
