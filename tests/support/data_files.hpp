// What the tests of the data readers share: files that last as long as a test, and the message of an
// exception.
#pragma once

#include <cstddef>
#include <filesystem>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>
#include <zlib.h>

#include "data/file.hpp"

namespace vknorm::test {

using Bytes = std::vector<std::byte>;

/// An empty directory of the running test, removed with this object.
class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        path_ = std::filesystem::temp_directory_path() /
                ("vknorm_" + std::string(test->test_suite_name()) + "_" + test->name() + "_" +
                 std::to_string(std::random_device()()));
        std::filesystem::create_directory(path_);
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

inline Bytes gzip(std::span<const std::byte> bytes) {
    z_stream stream{};
    deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
    Bytes compressed(deflateBound(&stream, bytes.size()));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
    stream.avail_out = static_cast<uInt>(compressed.size());
    deflate(&stream, Z_FINISH);
    compressed.resize(stream.total_out);
    deflateEnd(&stream);
    return compressed;
}

inline std::string contents(const std::filesystem::path& file) {
    const Bytes bytes = detail::read_file(file);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline size_t files_in(const std::filesystem::path& folder) {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// The message of the `Exception` that `call` throws; a failure and an empty text when it throws none.
template <class Exception, class Call>
std::string message_of(Call&& call) {
    try {
        call();
        ADD_FAILURE() << "threw nothing";
    } catch (const Exception& exception) {
        return exception.what();
    } catch (const std::exception& exception) {
        ADD_FAILURE() << "threw another exception: " << exception.what();
    }
    return {};
}

}  // namespace vknorm::test
