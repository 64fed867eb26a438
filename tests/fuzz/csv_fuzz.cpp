// Any bytes as a table, plain or compressed, with the usual column of labels and with the first.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "consistent.hpp"
#include "data/csv.hpp"
#include "data/file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr uint64_t max_bytes = uint64_t{1} << 20;
    for (const char* label : {"", "1"}) {
        try {
            const auto file = std::as_bytes(std::span(data, size));
            vknorm::detail::Bytes bytes(file.begin(), file.end());
            if (vknorm::detail::is_gzip(bytes)) bytes = vknorm::detail::gunzip(bytes, max_bytes, "table");
            const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            const vknorm::CsvData table =
                vknorm::detail::parse_csv(text, "table", {.label = label, .max_bytes = max_bytes});
            vknorm::testing::require_consistent(table.data);
            const bool counts = table.layout.row_number_column != 0;
            const size_t columns = table.data.features + 1 + (counts ? 1 : 0);
            if (table.layout.label_column < 1 || table.layout.label_column > columns) std::abort();
            if (!table.layout.columns.empty() && table.layout.columns.size() != columns) std::abort();
        } catch (const vknorm::FormatError&) {
        }
    }
    return 0;
}
