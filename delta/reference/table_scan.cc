// SPDX-License-Identifier: Apache-2.0
// References in tables whose entries have a fixed size (System V ABI, chapters 4 and 5; LSB Core,
// 10.6.2 for .eh_frame_hdr).
#include "delta/reference/btf.h"
#include "delta/reference/scan_window.h"

namespace lineside::delta {
namespace {

constexpr std::uint32_t kRelaBytes = 24;
constexpr std::uint32_t kSymbolBytes = 24;

class Table {
 public:
  Table(const ScanWindow& window, std::vector<Reference>& out) : window_(window), out_(out) {}

  // Appends what stands at `position`, if it is wanted, inside the window and means an address of
  // the image.
  void add(std::uint64_t position, Field field) {
    std::uint64_t end = window_.offset + window_.bytes.size();
    if (position < window_.offset || position + field_bytes(field) > end) return;
    auto at = static_cast<std::uint32_t>(position);
    if (!window_.wanted(at)) return;
    std::int64_t value =
        read_operand(field, window_.bytes.subspan(at - window_.offset, field_bytes(field)));
    std::uint64_t target = target_of(field, 0, value, window_.address_of(at), window_.region->base);
    if (!window_.in_image(target)) return;
    out_.push_back({at, field, 0, window_.number, target});
  }

  // The same for a number; 0 means none.
  void add_number(std::uint64_t position, BtfNumber kind) {
    std::uint64_t end = window_.offset + window_.bytes.size();
    if (position < window_.offset || position + 4 > end) return;
    auto at = static_cast<std::uint32_t>(position);
    if (!window_.wanted(at)) return;
    std::uint32_t number = btf_word(window_.bytes, at - window_.offset);
    if (number == 0) return;
    out_.push_back({at, Field::kNumber32, static_cast<std::uint8_t>(kind), window_.number, number});
  }

  // The first entry of `bytes` bytes that may reach into what is wanted.
  [[nodiscard]] std::uint64_t first_entry(std::uint32_t begin, std::uint32_t bytes) const {
    if (window_.from <= begin) return begin;
    return begin + static_cast<std::uint64_t>((window_.from - begin) / bytes) * bytes;
  }

 private:
  const ScanWindow& window_;
  std::vector<Reference>& out_;
};

}  // namespace

void scan_pointers64(const ScanWindow& window, std::vector<Reference>& out) {
  Table table(window, out);
  auto skip = static_cast<std::uint32_t>(-window.region->address & 7);
  for (std::uint64_t at = table.first_entry(window.region->offset + skip, 8); at < window.to;
       at += 8) {
    table.add(at, Field::kAbsolute64);
  }
}

void scan_rela64(const ScanWindow& window, std::vector<Reference>& out) {
  Table table(window, out);
  for (std::uint64_t at = table.first_entry(window.region->offset, kRelaBytes); at < window.to;
       at += kRelaBytes) {
    table.add(at, Field::kAbsolute64);
    table.add(at + 16, Field::kAbsolute64);
  }
}

void scan_symbols64(const ScanWindow& window, std::vector<Reference>& out) {
  Table table(window, out);
  for (std::uint64_t at = table.first_entry(window.region->offset, kSymbolBytes); at < window.to;
       at += kSymbolBytes) {
    table.add(at, Field::kBased32);
    table.add(at + 8, Field::kAbsolute64);
  }
}

void scan_eh_frame_table(const ScanWindow& window, std::vector<Reference>& out) {
  Table table(window, out);
  std::uint32_t begin = window.region->offset;
  table.add(begin + std::uint64_t{4}, Field::kRelative32);
  if (window.region->length < 12) return;
  for (std::uint64_t at = table.first_entry(begin + 12, 4); at < window.to; at += 4) {
    table.add(at, Field::kBased32);
  }
}

void scan_eh_frame(const ScanWindow& window, std::vector<Reference>& out) {
  Table table(window, out);
  std::uint64_t end = window.offset + window.bytes.size();
  for (std::uint64_t at = window.offset; at < window.to && end - at >= 8;) {
    BytesView entry = window.bytes.subspan(at - window.offset);
    auto length = static_cast<std::uint32_t>(
        static_cast<std::uint64_t>(read_operand(Field::kBased32, entry)));
    bool description = read_operand(Field::kBased32, entry.subspan(4)) != 0;
    if (description) {
      table.add(at + 4, Field::kBackward32);
      table.add(at + 8, Field::kRelative32);
      // Four bytes of augmentation are the pointer to the language's own data.
      if (entry.size() > 16 && entry[16] == 4) table.add(at + 17, Field::kRelative32);
    }
    at += 4 + std::uint64_t{length};
    if (length == 0 || length >= 0xfffffff0) break;
  }
}

void scan_btf(const ScanWindow& window, std::vector<Reference>& out) {
  Table table(window, out);
  std::uint64_t end = window.offset + window.bytes.size();
  for (std::uint64_t at = window.offset; at < window.to && end - at >= kBtfRecordBytes;) {
    BytesView record = window.bytes.subspan(at - window.offset);
    visit_btf_record(record, end - at, [&](std::uint64_t place, BtfNumber kind) {
      table.add_number(at + place, kind);
    });
    std::uint64_t length = btf_record_bytes(record);
    if (length == 0) break;
    at += length;
  }
}

}  // namespace lineside::delta
