// vknorm_tests_ui: the Lab's screen, off-screen on any device that can draw.
#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>

#include "lab/stage.hpp"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (const char* device = std::getenv("VKNORM_DEVICE")) lab::testing::select_test_gpu(device);
    if (argc == 3 && std::string_view(argv[1]) == "--device") {
        lab::testing::select_test_gpu(argv[2]);
    } else if (argc != 1) {
        std::cerr << "usage: vknorm_tests_ui [--device NAME] [--gtest_...]\n";
        return 2;
    }
    try {
        std::cout << "device " << lab::testing::test_gpu().info().name << std::endl;
        const int failures = RUN_ALL_TESTS();
        return lab::testing::destroy_test_gpu() ? failures : 1;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
