// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/x86_instruction.h"

#include <algorithm>
#include <string_view>

namespace lineside::delta {
namespace {

// What follows an opcode of one byte:
//   .  nothing      b  1 byte      w  2 bytes     z  4 bytes, 2 with prefix 66
//   m  ModRM        n  ModRM, 1 byte              q  ModRM, z
//   j  short jump   r  4-byte jump                f  ModRM, 1 byte if reg is 0 or 1   g  … z
//   v  z, 8 bytes with REX.W       a  8-byte address, 4 with prefix 67                e  3 bytes
//   p  prefix       o  prefix 66   d  prefix 67   R  REX        x  invalid
//   2  0F           V  VEX, 2 bytes               3  VEX, 3 bytes                     E  EVEX
constexpr std::string_view kOneByte =
    "mmmmbzxxmmmmbzx2"
    "mmmmbzxxmmmmbzxx"
    "mmmmbzpxmmmmbzpx"
    "mmmmbzpxmmmmbzpx"
    "RRRRRRRRRRRRRRRR"
    "................"
    "xxEmppodzqbn...."
    "jjjjjjjjjjjjjjjj"
    "nqxnmmmmmmmmmmmm"
    "..........x....."
    "aaaa....bz......"
    "bbbbbbbbvvvvvvvv"
    "nnw.3Vnqe.w..bx."
    "mmmmxxx.mmmmmmmm"
    "jjjjbbbbrrxj...."
    "p.pp..fg......mm";

// The same behind 0F; 8 and A lead to the three-byte opcodes.
constexpr std::string_view kTwoByte =
    "mmmmx.....x.xm.n"
    "mmmmmmmmmmmmmmmm"
    "mmmmxxxxmmmmmmmm"
    "......x.8xAxxxxx"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "nnnnmmm.mmxxmmmm"
    "rrrrrrrrrrrrrrrr"
    "mmmmmmmmmmmmmmmm"
    "...mnmxx...mnmmm"
    "mmmmmmmmmmnmmmmm"
    "mmnmnnnm........"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm";

constexpr std::size_t kLongest = 15;

class Decoder {
 public:
  explicit Decoder(BytesView code) : code_(code.first(std::min(code.size(), kLongest))) {}

  X86Instruction run() {
    char form = prefixes();
    while (form == '2' || form == 'V' || form == '3' || form == 'E') form = escape(form);
    operands(form);
    if (bad_ || at_ > code_.size()) return {};
    X86Instruction result{static_cast<std::uint8_t>(at_), static_cast<std::uint8_t>(relative_)};
    return result;
  }

 private:
  std::uint8_t next() {
    if (at_ < code_.size()) return code_[at_++];
    bad_ = true;
    return 0;
  }

  // The form of the first byte that is no prefix.
  char prefixes() {
    for (;;) {
      char form = kOneByte[next()];
      if (bad_) return 'x';
      if (form == 'o') short_operand_ = true;
      if (form == 'd') short_address_ = true;
      if (form == 'R') wide_ = (code_[at_ - 1] & 8) != 0;
      if (form != 'p' && form != 'o' && form != 'd' && form != 'R') return form;
    }
  }

  char escape(char form) {
    if (form == '2') {
      char second = kTwoByte[next()];
      if (second == '8' || second == 'A') {
        next();
        return second == '8' ? 'm' : 'n';
      }
      return second;
    }
    std::uint8_t payload = next();
    unsigned map = form == 'V' ? 1 : payload & (form == 'E' ? 7 : 31);
    if (form == '3') next();
    if (form == 'E') at_ += 2;
    short_operand_ = false;
    std::uint8_t opcode = next();
    if (map == 1) {
      char second = kTwoByte[opcode];
      return second == 'r' || second == '8' || second == 'A' ? 'm' : second;
    }
    if (map == 3) return 'n';
    return map == 0 || map == 4 || map > 6 ? 'x' : 'm';
  }

  void operands(char form) {
    std::size_t word = short_operand_ ? 2 : 4;
    switch (form) {
      case '.':
        return;
      case 'b':
      case 'j':
        at_ += 1;
        return;
      case 'w':
        at_ += 2;
        return;
      case 'e':
        at_ += 3;
        return;
      case 'z':
        at_ += word;
        return;
      case 'r':
        relative_ = at_;
        at_ += 4;
        return;
      case 'v':
        at_ += wide_ ? 8 : word;
        return;
      case 'a':
        at_ += short_address_ ? 4 : 8;
        return;
      case 'm':
      case 'n':
      case 'q':
      case 'f':
      case 'g':
        return modrm(form, word);
      default:
        bad_ = true;
    }
  }

  void modrm(char form, std::size_t word) {
    std::uint8_t byte = next();
    unsigned mod = byte >> 6;
    unsigned memory = byte & 7;
    if (mod != 3 && memory == 4) {
      std::uint8_t sib = next();
      if (mod == 0 && (sib & 7) == 5) at_ += 4;
    }
    if (mod == 0 && memory == 5) {
      relative_ = at_;
      at_ += 4;
    }
    if (mod == 1) at_ += 1;
    if (mod == 2) at_ += 4;
    bool tests = (byte >> 3 & 7) < 2;
    if (form == 'n' || (form == 'f' && tests)) at_ += 1;
    if (form == 'q' || (form == 'g' && tests)) at_ += word;
  }

  BytesView code_;
  std::size_t at_ = 0;
  std::size_t relative_ = 0;
  bool bad_ = false;
  bool short_operand_ = false;
  bool short_address_ = false;
  bool wide_ = false;
};

}  // namespace

X86Instruction decode_x86(BytesView code) {
  return Decoder(code).run();
}

}  // namespace lineside::delta
