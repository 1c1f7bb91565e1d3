// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proto/runtime/pep503.h"
#include "proto/runtime/pep508.h"
#include "proto/runtime/python_text.h"

namespace lineside::runtime {

// An inner node joins its children by "and" or "or"; a leaf compares two operands.
struct Marker::Node {
  enum class Kind { kAnd, kOr, kCompare } kind = Kind::kCompare;
  std::vector<std::shared_ptr<const Node>> children;
  struct Operand {
    bool variable = false;
    std::string text;
  } left, right;
  std::string op;
};

namespace {

using Node = Marker::Node;
using NodePointer = std::shared_ptr<const Node>;

constexpr int kMaxDepth = 64;
constexpr std::array<std::string_view, 8> kSymbols = {
    "===", "==", "~=", "!=", "<=", ">=", "<", ">"};

bool is_word(char c) {
  return is_alnum(c) || c == '_';
}

bool is_variable(std::string_view word) {
  static constexpr std::array<std::string_view, 13> kNames = {"python_version",
                                                              "python_full_version",
                                                              "os_name",
                                                              "sys_platform",
                                                              "platform_release",
                                                              "platform_system",
                                                              "platform_version",
                                                              "platform_machine",
                                                              "implementation_name",
                                                              "platform_python_implementation",
                                                              "python_implementation",
                                                              "implementation_version",
                                                              "extra"};
  return std::find(kNames.begin(), kNames.end(), word) != kNames.end();
}

class Parser {
 public:
  explicit Parser(std::string_view text) : all_(text), rest_(text) {}

  Result<NodePointer> whole() {
    TRY_ASSIGN(NodePointer node, alternatives(0));
    if (!rest_.empty()) return bad("the end");
    return node;
  }

 private:
  Error bad(std::string_view expected) const {
    return Error{Code::kMalformed, fmt::format("marker '{}': {} expected at offset {}", all_,
                                               expected, all_.size() - rest_.size())};
  }

  void space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }

  bool word(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    if (rest_.size() > expected.size() && is_word(rest_[expected.size()])) return false;
    rest_.remove_prefix(expected.size());
    space();
    return true;
  }

  Result<NodePointer> alternatives(int depth) { return joined(Node::Kind::kOr, "or", depth); }

  Result<NodePointer> joined(Node::Kind kind, std::string_view by, int depth) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    do {
      auto child = kind == Node::Kind::kOr ? joined(Node::Kind::kAnd, "and", depth) : atom(depth);
      if (!child.ok()) return child;
      node->children.push_back(std::move(*child));
    } while (word(by));
    return NodePointer(std::move(node));
  }

  Result<NodePointer> atom(int depth) {
    space();
    if (rest_.empty() || rest_.front() != '(') return comparison();
    if (depth >= kMaxDepth) {
      return Error{Code::kTooLarge, "marker: more than 64 nested parentheses"};
    }
    rest_.remove_prefix(1);
    TRY_ASSIGN(NodePointer inner, alternatives(depth + 1));
    if (rest_.empty() || rest_.front() != ')') return bad("')'");
    rest_.remove_prefix(1);
    space();
    return inner;
  }

  Result<NodePointer> comparison() {
    auto node = std::make_shared<Node>();
    TRY_ASSIGN(node->left, operand());
    TRY_ASSIGN(node->op, comparator());
    TRY_ASSIGN(node->right, operand());
    return NodePointer(std::move(node));
  }

  Result<std::string> comparator() {
    if (word("in")) return std::string("in");
    if (word("not")) return word("in") ? Result<std::string>("not in") : bad("'in'");
    for (std::string_view symbol : kSymbols) {
      if (!rest_.starts_with(symbol)) continue;
      rest_.remove_prefix(symbol.size());
      space();
      return std::string(symbol);
    }
    return bad("a comparison");
  }

  Result<Node::Operand> operand() {
    if (rest_.empty()) return bad("a variable or quoted text");
    char quote = rest_.front();
    if (quote != '"' && quote != '\'') return variable();
    std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) return bad("a closing quote");
    Node::Operand out{false, std::string(rest_.substr(1, end - 1))};
    rest_.remove_prefix(end + 1);
    space();
    return out;
  }

  Result<Node::Operand> variable() {
    std::size_t n = 0;
    while (n < rest_.size() && (is_word(rest_[n]) || rest_[n] == '.')) ++n;
    std::string name(rest_.substr(0, n));
    std::replace(name.begin(), name.end(), '.', '_');  // "os.name" of PEP 345
    if (!is_variable(name)) return bad("a variable or quoted text");
    if (name == "python_implementation") name = "platform_python_implementation";
    rest_.remove_prefix(n);
    space();
    return Node::Operand{true, std::move(name)};
  }

  std::string_view all_;
  std::string_view rest_;
};

bool compares_versions(std::string_view variable) {
  return variable == "python_version" || variable == "python_full_version" ||
         variable == "implementation_version" || variable == "platform_release";
}

Result<bool> compare_text(const std::string& left, std::string_view op, const std::string& right) {
  if (op == "in") return right.find(left) != std::string::npos;
  if (op == "not in") return right.find(left) == std::string::npos;
  if (op == "==" || op == "<=" || op == ">=") return left == right;
  if (op == "!=") return left != right;
  if (op == "<" || op == ">") return false;  // no order is defined between texts
  return Error{Code::kUnsupported,
               fmt::format("marker: '{}' {} '{}' has no meaning", left, op, right)};
}

Result<std::string> value_of(const Node::Operand& operand, const Environment& environment) {
  if (!operand.variable) return operand.text;
  auto found = environment.find(operand.text);
  if (found == environment.end()) {
    return Error{Code::kUnsupported, fmt::format("marker: '{}' is not known here", operand.text)};
  }
  return found->second;
}

Result<bool> compare(const Node& node, const Environment& environment) {
  TRY_ASSIGN(std::string left, value_of(node.left, environment));
  TRY_ASSIGN(std::string right, value_of(node.right, environment));
  const std::string& variable = node.left.variable ? node.left.text : node.right.text;
  if (variable == "extra") {  // PEP 685
    left = normalize_name(left);
    right = normalize_name(right);
  }
  if (compares_versions(variable)) {
    auto specifier = Specifier::parse(node.op + right);
    if (specifier.ok()) {
      auto version = Version::parse(left);
      if (specifier->op == SpecifierOp::kArbitrary) return specifier->contains({}, left);
      return version.ok() && specifier->contains(*version, left);
    }
  }
  return compare_text(left, node.op, right);
}

Result<bool> evaluate(const Node& node, const Environment& environment) {
  if (node.kind == Node::Kind::kCompare) return compare(node, environment);
  bool any = node.kind == Node::Kind::kOr;
  bool out = !any;
  for (const NodePointer& child :
       node.children) {  // all of them: a meaningless one must be noticed
    TRY_ASSIGN(bool value, evaluate(*child, environment));
    out = any ? out || value : out && value;
  }
  return out;
}

}  // namespace

Result<Marker> Marker::parse(std::string_view text) {
  TRY_ASSIGN(NodePointer root, Parser(text).whole());
  return Marker(std::move(root));
}

Result<bool> Marker::holds(const Environment& environment) const {
  return evaluate(*root_, environment);
}

Environment linux_environment(std::string_view python, std::string_view machine) {
  std::size_t minor = python.find('.');
  std::size_t patch = minor == std::string_view::npos ? minor : python.find('.', minor + 1);
  std::string full(python);
  if (patch == std::string_view::npos) full += ".0";
  return {{"python_version", std::string(python.substr(0, patch))},
          {"python_full_version", full},
          {"implementation_name", "cpython"},
          {"implementation_version", full},
          {"platform_python_implementation", "CPython"},
          {"os_name", "posix"},
          {"sys_platform", "linux"},
          {"platform_system", "Linux"},
          {"platform_machine", std::string(machine)},
          {"platform_release", ""},
          {"platform_version", ""},
          {"extra", ""}};
}

}  // namespace lineside::runtime
