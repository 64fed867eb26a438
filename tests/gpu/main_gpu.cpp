// vknorm_tests_gpu: what GPUs' compilers make of the shaders, without a GPU. To be run by
// tests/gpu/on_compiler.
#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>
#include <string_view>

#include "gpu/plan_table.hpp"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (!std::getenv("VKNORM_WRAPPED")) {
        std::cerr << "vknorm_tests_gpu: needs a driver to wrap: tests/gpu/on_compiler\n";
        return 2;
    }
    if (argc == 2 && std::string_view(argv[1]) == "--plans") {
        vknorm::testing::print_plans(std::cout);
        return 0;
    }
    if (argc > 1) {
        std::cerr << "usage: vknorm_tests_gpu [--plans] [--gtest_...]\n";
        return 2;
    }
    return RUN_ALL_TESTS();
}
