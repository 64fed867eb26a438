// CIFAR-10 and CIFAR-100, in their binary versions: pictures of 32 x 32 in colour.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <vknorm/data.hpp>

namespace vknorm {

struct CifarOptions {
    /// "10"; "100", its fine labels; "coarse", the twenty superclasses of CIFAR-100. Empty: what there is.
    std::string set{};
    /// Neither part may take more, counted as float32.
    uint64_t max_bytes = default_max_bytes;
};

struct CifarData {
    Dataset train, test;
    std::string set;                           ///< as CifarOptions
    std::vector<std::filesystem::path> files;  ///< those read
};

/// Reads data_batch_1.bin to data_batch_5.bin, test_batch.bin and, where it is, batches.meta.txt; or
/// train.bin, test.bin and fine_label_names.txt or coarse_label_names.txt; from `directory`, or
/// cifar-10-batches-bin or cifar-100-binary in it. Values are divided by 255.
///
/// Throws FormatError for a file that is missing, for two sets without a choice, for a length that is no
/// whole number of records, a label beyond the classes; TooLarge above options.max_bytes.
CifarData read_cifar(const std::filesystem::path& directory, const CifarOptions& options = {});

}  // namespace vknorm
