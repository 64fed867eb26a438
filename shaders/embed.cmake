# Turns the SPIR-V files INPUTS into OUTPUT, a C++ source that defines vknorm::shaders::NAME for each NAME.spv.
set(definitions "")
foreach(input IN LISTS INPUTS)
  cmake_path(GET input STEM name)
  file(READ ${input} bytes HEX)
  string(REGEX REPLACE "(..)(..)(..)(..)" "0x\\4\\3\\2\\1," words "${bytes}")
  string(REGEX REPLACE "((0x........,){10})" "\\1\n" words "${words}")
  string(APPEND definitions "
constexpr uint32_t ${name}_words[] = {
${words}};
const Shader ${name} = {\"${name}\", ${name}_words};
")
endforeach()
file(WRITE ${OUTPUT} "#include \"shaders/embedded.hpp\"

namespace vknorm::shaders {
${definitions}
}  // namespace vknorm::shaders
")
