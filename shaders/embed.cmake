# Turns the SPIR-V file INPUT into OUTPUT, a C++ source that defines vknorm::shaders::NAME.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)(..)(..)(..)" "0x\\4\\3\\2\\1," words "${bytes}")
string(REGEX REPLACE "((0x........,){10})" "\\1\n" words "${words}")
file(WRITE ${OUTPUT} "#include \"shaders/embedded.hpp\"

namespace vknorm::shaders {
namespace {
constexpr uint32_t words[] = {
${words}};
}
const Shader ${NAME} = {\"${NAME}\", words};
}  // namespace vknorm::shaders
")
