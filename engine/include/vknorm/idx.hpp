// The MNIST family of files, in the IDX format: MNIST, Fashion-MNIST, KMNIST, EMNIST, QMNIST.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <vknorm/data.hpp>

namespace vknorm {

struct IdxOptions {
    /// Which of several sets in the folder: its prefix or the end of that, "letters" for emnist-letters-...;
    /// "plain" for files without a prefix. Empty: the only one.
    std::string set{};
    /// No file may announce more, counted as float32.
    uint64_t max_bytes = default_max_bytes;
};

/// What a folder holds.
struct IdxData {
    Dataset train;    ///< the train files, or all there is
    Dataset test;     ///< the official test set, never to be trained on; without examples where there is none
    std::string set;  ///< the prefix of the files; empty: they have none
    std::string
        train_name;  ///< as the files of `train` call it: "train", or "t10k" where these are all there is
    std::string test_name;  ///< as the files of `test` call it: "t10k" or "test"; empty: there are none
    std::vector<std::filesystem::path> files;  ///< those read: images and labels of `train`, then of `test`
};

/// Reads [PREFIX-]train-images-idx3-ubyte with -labels-idx1-ubyte (or QMNIST's -labels-idx2-int, whose first
/// column is the class), and the same of t10k or test, from `directory` and the folders in it, two levels
/// down. A dot or an underscore may stand for each dash. Each file is plain or gzip-compressed, whatever its
/// name; of several with the same content one is taken. One pair alone is enough, and then no test set.
///
/// Values are divided by 255. Classes are counted from label 0 to the largest one of both pairs; from 1,
/// where no label is 0. Their names are the labels. Throws FormatError, which lists what was found, for half
/// a pair, several sets without a choice, copies that differ; and for a wrong magic number, truncation, extra
/// bytes, images != labels; TooLarge above options.max_bytes.
IdxData read_idx(const std::filesystem::path& directory, const IdxOptions& options = {});

}  // namespace vknorm
