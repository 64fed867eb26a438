#include <iostream>

#include "check/program.hpp"

int main(int argc, char** argv) {
    return vknorm::check::run_program(std::span(argv + 1, static_cast<size_t>(argc - 1)), std::cout,
                                      std::cerr);
}
