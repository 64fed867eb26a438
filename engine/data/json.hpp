// JSON texts (RFC 8259) are read strictly and value by value: no document is built, so that a text costs no
// more memory than what is kept of it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace vknorm::detail {

/// Quotes and escapes `text`. Throws std::invalid_argument for what is not UTF-8.
std::string json_string(std::string_view text);

/// A reader stands before a value, or behind the last one. Every function throws FormatError for what is no
/// JSON.
class JsonReader {
  public:
    /// Messages begin with `where`. Objects and arrays may be nested `most_depth` deep. `text` is not copied.
    JsonReader(std::string_view text, std::string where, int most_depth);

    /// Returns the character that the next value begins with, or '\0' where the text ends.
    char next();

    // Each of these reads the next value, a value() of any kind, and gives it as it stands in the text.
    std::string_view value();
    /// `member` is called with each key and reads that member's value. No key may stand there twice.
    std::string_view object(const std::function<void(const std::string& key)>& member);
    /// `element` is called before each element and reads it.
    std::string_view array(const std::function<void()>& element);
    std::string string();

    /// Refuses what follows the value, but for white space.
    void end();

  private:
    [[noreturn]] void fail(const std::string& what) const;
    void skip_space();
    /// Tells whether `character` is next; it is passed then.
    bool take(char character);
    void require(char character);
    void enter();
    void leave(char bracket);
    void digits();
    void number();
    void literal(std::string_view word);
    void escape(std::string& result);
    uint32_t hexadecimal_quad();
    std::string_view since(size_t begin) const { return text_.substr(begin, at_ - begin); }

    std::string_view text_;
    std::string where_;
    int depth_left_, most_depth_;
    size_t at_ = 0;
};

}  // namespace vknorm::detail
