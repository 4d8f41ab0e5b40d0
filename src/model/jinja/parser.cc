#include "model/jinja/parser.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "model/jinja/lexer.h"

namespace teetee::model::jinja {
namespace {

using NodeResult = Result<NodeId>;

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Program> Run() {
    while (Peek().type != TokenType::kEnd) TT_RETURN_IF_ERROR(ParseInto(program_.body));
    return std::move(program_);
  }

 private:
  // ---- tokens
  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
  }
  bool Is(TokenType type, std::string_view text) const {
    return Peek().type == type && Peek().text == text;
  }
  bool IsPunctuation(std::string_view text) const { return Is(TokenType::kPunctuation, text); }
  bool IsWord(std::string_view text) const { return Is(TokenType::kIdentifier, text); }
  bool IsStatement(std::string_view name) const {
    return Peek().type == TokenType::kOpenStatement && Peek(1).type == TokenType::kIdentifier &&
           Peek(1).text == name;
  }
  bool Take(TokenType type, std::string_view text) {
    if (!Is(type, text)) return false;
    ++position_;
    return true;
  }
  bool TakePunctuation(std::string_view text) { return Take(TokenType::kPunctuation, text); }
  bool TakeWord(std::string_view text) { return Take(TokenType::kIdentifier, text); }

  Error Fail(std::string_view what) const { return TemplateError(Peek().line, what); }
  Status Expect(TokenType type, std::string_view text) {
    if (!Take(type, text)) return Fail("expected '" + std::string(text) + "'");
    return Ok{};
  }
  Status ExpectPunctuation(std::string_view text) { return Expect(TokenType::kPunctuation, text); }
  Status ExpectCloseStatement() { return Expect(TokenType::kCloseStatement, "%}"); }
  Status ExpectStatement(std::string_view name) {
    if (!IsStatement(name)) return Fail("expected '" + std::string(name) + "'");
    position_ += 2;
    return ExpectCloseStatement();
  }
  Result<std::string> ExpectWord(std::string_view what) {
    if (Peek().type != TokenType::kIdentifier) return Fail("expected " + std::string(what));
    return tokens_[position_++].text;
  }

  // ---- nodes
  Node Make(NodeKind kind, std::vector<NodeId> kids = {}) const {
    Node node;
    node.kind = kind;
    node.line = Peek().line;
    node.kids = std::move(kids);
    return node;
  }

  NodeResult Add(Node node) {
    for (const auto* children : {&node.kids, &node.body, &node.otherwise}) {
      for (NodeId child : *children) {
        if (child != kNoNode) {
          node.depth = std::max<uint16_t>(node.depth, static_cast<uint16_t>(program_.nodes[child].depth + 1));
        }
      }
    }
    if (node.depth > kMaxTreeDepth) return TooDeep();
    program_.nodes.push_back(std::move(node));
    return static_cast<NodeId>(program_.nodes.size() - 1);
  }
  NodeResult Add(NodeKind kind, std::vector<NodeId> kids = {}) { return Add(Make(kind, std::move(kids))); }

  Error TooDeep() const {
    return TemplateError(Peek().line, "nested too deeply", Code::kResourceExhausted);
  }

  uint32_t NameId(const std::string& name) {
    auto [found, added] = name_ids_.emplace(name, static_cast<uint32_t>(program_.names.size()));
    if (added) program_.names.push_back(name);
    return found->second;
  }

  NodeResult AddIdentifier(std::string name) {
    Node node = Make(NodeKind::kIdentifier);
    node.name_id = NameId(name);
    node.name = std::move(name);
    return Add(std::move(node));
  }

  NodeKind KindOf(NodeId id) const { return program_.nodes[id].kind; }

  // Counts the recursion of the parser itself.
  class Nesting {
   public:
    explicit Nesting(unsigned& depth) : depth_(++depth) {}
    ~Nesting() { --depth_; }
    bool TooDeep() const { return depth_ > kMaxTreeDepth; }

   private:
    unsigned& depth_;
  };

  // ---- statements
  Status ParseInto(std::vector<NodeId>& body) {
    Nesting nesting(depth_);
    if (nesting.TooDeep()) return TooDeep();
    switch (Peek().type) {
      case TokenType::kComment: ++position_; return Ok{};
      case TokenType::kText: {
        Node node = Make(NodeKind::kText);
        node.literal = Value(tokens_[position_++].text);
        body.push_back(TT_TRY(Add(std::move(node))));
        return Ok{};
      }
      case TokenType::kOpenExpression: {
        ++position_;
        body.push_back(TT_TRY(ParseExpression()));
        return Expect(TokenType::kCloseExpression, "}}");
      }
      case TokenType::kOpenStatement: {
        ++position_;
        body.push_back(TT_TRY(ParseStatement()));
        return Ok{};
      }
      default: return Fail("expected text or a tag");
    }
  }

  Result<std::vector<NodeId>> ParseUntil(std::initializer_list<std::string_view> ends) {
    std::vector<NodeId> body;
    auto at_end = [&] {
      return std::any_of(ends.begin(), ends.end(), [&](auto name) { return IsStatement(name); });
    };
    while (!at_end()) {
      if (Peek().type == TokenType::kEnd) {
        return Fail("expected '" + std::string(*(ends.end() - 1)) + "'");
      }
      TT_RETURN_IF_ERROR(ParseInto(body));
    }
    return body;
  }

  NodeResult ParseStatement() {
    std::string name = TT_TRY(ExpectWord("a statement"));
    if (name == "set") return ParseSet();
    if (name == "if") return ParseIf();
    if (name == "for") return ParseFor();
    if (name == "macro") return ParseMacro();
    if (name == "filter") return ParseFilterBlock();
    if (name == "break" || name == "continue") {
      TT_RETURN_IF_ERROR(ExpectCloseStatement());
      return Add(name == "break" ? NodeKind::kBreak : NodeKind::kContinue);
    }
    if (name == "call") return Fail("call blocks are not supported");
    return Fail("unknown or misplaced statement");
  }

  NodeResult ParseSet() {
    Node node = Make(NodeKind::kSet);
    NodeId target = TT_TRY(ParseSequence(false));
    TT_RETURN_IF_ERROR(CheckTarget(target, true));
    node.kids = {target, kNoNode};
    if (TakePunctuation("=")) {
      node.kids[1] = TT_TRY(ParseSequence(false));
      TT_RETURN_IF_ERROR(ExpectCloseStatement());
    } else {
      TT_RETURN_IF_ERROR(ExpectCloseStatement());
      node.body = TT_TRY(ParseUntil({"endset"}));
      TT_RETURN_IF_ERROR(ExpectStatement("endset"));
    }
    return Add(std::move(node));
  }

  Status CheckTarget(NodeId id, bool member_allowed) {
    NodeKind kind = KindOf(id);
    if (kind == NodeKind::kIdentifier) return Ok{};
    if (member_allowed && kind == NodeKind::kMember && !program_.nodes[id].name.empty()) return Ok{};
    const auto& kids = program_.nodes[id].kids;
    bool names = std::all_of(kids.begin(), kids.end(),
                             [&](NodeId k) { return KindOf(k) == NodeKind::kIdentifier; });
    if (kind == NodeKind::kTuple && names) return Ok{};
    return Fail("expected a variable to assign to");
  }

  NodeResult ParseIf() {
    Node node = Make(NodeKind::kIf);
    do {
      Node clause = Make(NodeKind::kClause);
      clause.kids = {TT_TRY(ParseExpression())};
      TT_RETURN_IF_ERROR(ExpectCloseStatement());
      clause.body = TT_TRY(ParseUntil({"elif", "else", "endif"}));
      node.kids.push_back(TT_TRY(Add(std::move(clause))));
    } while (TakeElif());
    if (IsStatement("else")) {
      TT_RETURN_IF_ERROR(ExpectStatement("else"));
      node.otherwise = TT_TRY(ParseUntil({"endif"}));
    }
    TT_RETURN_IF_ERROR(ExpectStatement("endif"));
    return Add(std::move(node));
  }

  bool TakeElif() {
    if (!IsStatement("elif")) return false;
    position_ += 2;
    return true;
  }

  NodeResult ParseFor() {
    Node node = Make(NodeKind::kFor);
    NodeId target = TT_TRY(ParseSequence(true));
    TT_RETURN_IF_ERROR(CheckTarget(target, false));
    if (!TakeWord("in")) return Fail("expected 'in'");
    NodeId iterable = TT_TRY(ParseExpression()), condition = kNoNode;
    if (KindOf(iterable) == NodeKind::kSelect) {
      condition = program_.nodes[iterable].kids[1];
      iterable = program_.nodes[iterable].kids[0];
    }
    if (IsWord("recursive")) return Fail("recursive loops are not supported");
    TT_RETURN_IF_ERROR(ExpectCloseStatement());
    node.kids = {target, iterable, condition};
    node.body = TT_TRY(ParseUntil({"else", "endfor"}));
    if (IsStatement("else")) {
      TT_RETURN_IF_ERROR(ExpectStatement("else"));
      node.otherwise = TT_TRY(ParseUntil({"endfor"}));
    }
    TT_RETURN_IF_ERROR(ExpectStatement("endfor"));
    return Add(std::move(node));
  }

  NodeResult ParseMacro() {
    Node node = Make(NodeKind::kMacro);
    node.name = TT_TRY(ExpectWord("the name of the macro"));
    node.name_id = NameId(node.name);
    node.kids = TT_TRY(ParseParameters());
    TT_RETURN_IF_ERROR(ExpectCloseStatement());
    size_t first = program_.nodes.size();
    node.body = TT_TRY(ParseUntil({"endmacro"}));
    TT_RETURN_IF_ERROR(ExpectStatement("endmacro"));
    auto is_parameter = [&](std::string_view name) {
      return std::any_of(node.kids.begin(), node.kids.end(),
                         [&](NodeId k) { return program_.nodes[k].name == name; });
    };
    for (size_t i = first; i < program_.nodes.size(); ++i) {
      const Node& inner = program_.nodes[i];
      if (inner.kind != NodeKind::kIdentifier) continue;
      node.flag |= inner.name == "varargs" && !is_parameter("varargs");
      node.keyword_flag |= inner.name == "kwargs" && !is_parameter("kwargs");
    }
    return Add(std::move(node));
  }

  Result<std::vector<NodeId>> ParseParameters() {
    TT_RETURN_IF_ERROR(ExpectPunctuation("("));
    std::vector<NodeId> out;
    std::map<std::string, bool> seen;
    bool with_default = false;
    while (!TakePunctuation(")")) {
      std::string name = TT_TRY(ExpectWord("the name of a parameter"));
      if (!seen.emplace(name, true).second) return Fail("two parameters of one name");
      if (TakePunctuation("=")) {
        with_default = true;
        out.push_back(TT_TRY(AddKeyword(std::move(name))));
      } else if (with_default) {
        return Fail("a parameter without a default follows one with a default");
      } else {
        out.push_back(TT_TRY(AddIdentifier(std::move(name))));
      }
      if (!TakePunctuation(",") && !IsPunctuation(")")) return Fail("expected ',' or ')'");
    }
    return out;
  }

  NodeResult AddKeyword(std::string name) {
    Node node = Make(NodeKind::kKeywordArgument);
    node.kids = {TT_TRY(ParseExpression())};
    node.name_id = NameId(name);
    node.name = std::move(name);
    return Add(std::move(node));
  }

  NodeResult ParseFilterBlock() {
    Node node = Make(NodeKind::kFilterBlock, {kNoNode});
    TT_RETURN_IF_ERROR(ParseFilterCall(node));
    TT_RETURN_IF_ERROR(ExpectCloseStatement());
    node.body = TT_TRY(ParseUntil({"endfilter"}));
    TT_RETURN_IF_ERROR(ExpectStatement("endfilter"));
    return Add(std::move(node));
  }

  // The name and the arguments of a filter.
  Status ParseFilterCall(Node& node) {
    node.name = TT_TRY(ExpectWord("the name of a filter"));
    if (!IsPunctuation("(")) return Ok{};
    node.flag = true;
    return ParseArguments(node.kids);
  }

  // ---- expressions, from the loosest to the tightest binding
  // One expression, or a tuple without parentheses.
  NodeResult ParseSequence(bool primary) {
    auto one = [&] { return primary ? ParsePrimary() : ParseExpression(); };
    NodeId first = TT_TRY(one());
    if (!IsPunctuation(",")) return first;
    std::vector<NodeId> items = {first};
    while (TakePunctuation(",")) {
      if (IsPunctuation(")")) break;
      items.push_back(TT_TRY(one()));
    }
    return Add(NodeKind::kTuple, std::move(items));
  }

  NodeResult ParseExpression() {
    Nesting nesting(depth_);
    if (nesting.TooDeep()) return TooDeep();
    NodeId value = TT_TRY(ParseOr());
    if (!TakeWord("if")) return value;
    NodeId condition = TT_TRY(ParseOr());
    if (!TakeWord("else")) return Add(NodeKind::kSelect, {value, condition});
    NodeId otherwise = TT_TRY(ParseExpression());
    return Add(NodeKind::kTernary, {condition, value, otherwise});
  }

  NodeResult ParseOr() {
    NodeId left = TT_TRY(ParseAnd());
    while (TakeWord("or")) {
      NodeId right = TT_TRY(ParseAnd());
      left = TT_TRY(Add(NodeKind::kOr, {left, right}));
    }
    return left;
  }

  NodeResult ParseAnd() {
    NodeId left = TT_TRY(ParseNot());
    while (TakeWord("and")) {
      NodeId right = TT_TRY(ParseNot());
      left = TT_TRY(Add(NodeKind::kAnd, {left, right}));
    }
    return left;
  }

  NodeResult ParseNot() {
    unsigned negations = 0;
    while (TakeWord("not")) ++negations;
    NodeId value = TT_TRY(ParseComparison());
    for (; negations > 0; --negations) value = TT_TRY(Add(NodeKind::kNot, {value}));
    return value;
  }

  NodeResult AddBinary(Op op, NodeId left, NodeId right) {
    Node node = Make(NodeKind::kBinary, {left, right});
    node.op = op;
    return Add(std::move(node));
  }

  bool TakeComparison(Op& op) {
    static const std::map<std::string_view, Op> kOps = {
        {"==", Op::kEqual},   {"!=", Op::kNotEqual},  {"<", Op::kLess},
        {">", Op::kGreater},  {"<=", Op::kLessEqual}, {">=", Op::kGreaterEqual}};
    if (Peek().type == TokenType::kComparison) {
      op = kOps.at(tokens_[position_++].text);
      return true;
    }
    if (IsWord("not") && Peek(1).type == TokenType::kIdentifier && Peek(1).text == "in") {
      position_ += 2;
      op = Op::kNotIn;
      return true;
    }
    op = Op::kIn;
    return TakeWord("in");
  }

  NodeResult ParseComparison() {
    NodeId left = TT_TRY(ParseAdditive());
    for (Op op; TakeComparison(op);) {
      NodeId right = TT_TRY(ParseAdditive());
      left = TT_TRY(AddBinary(op, left, right));
    }
    return left;
  }

  NodeResult ParseAdditive() {
    NodeId left = TT_TRY(ParseMultiplicative());
    while (Peek().type == TokenType::kAdditive) {
      char c = tokens_[position_++].text[0];
      NodeId right = TT_TRY(ParseMultiplicative());
      left = TT_TRY(AddBinary(c == '+' ? Op::kAdd : c == '-' ? Op::kSubtract : Op::kConcatenate, left, right));
    }
    return left;
  }

  NodeResult ParseMultiplicative() {
    NodeId left = TT_TRY(ParsePower());
    while (Peek().type == TokenType::kMultiplicative) {
      std::string text = tokens_[position_++].text;
      Op op = text == "*" ? Op::kMultiply : text == "/" ? Op::kDivide : text == "%" ? Op::kModulo : Op::kFloorDivide;
      NodeId right = TT_TRY(ParsePower());
      left = TT_TRY(AddBinary(op, left, right));
    }
    return left;
  }

  NodeResult ParsePower() {
    NodeId left = TT_TRY(ParseTest());
    while (Peek().type == TokenType::kPower) {
      ++position_;
      NodeId right = TT_TRY(ParseTest());
      left = TT_TRY(AddBinary(Op::kPower, left, right));
    }
    return left;
  }

  NodeResult ParseTest() {
    NodeId operand = TT_TRY(ParseFilter());
    while (TakeWord("is")) {
      Node node = Make(NodeKind::kTest, {operand});
      node.flag = TakeWord("not");
      node.name = TT_TRY(ExpectWord("the name of a test"));
      if (IsPunctuation("(")) {
        TT_RETURN_IF_ERROR(ParseArguments(node.kids));
      } else if (TestWantsArgument(node.name)) {
        node.kids.push_back(TT_TRY(ParsePrimary()));
      }
      operand = TT_TRY(Add(std::move(node)));
    }
    return operand;
  }

  static bool TestWantsArgument(std::string_view name) {
    return name == "equalto" || name == "eq" || name == "ne" || name == "in" || name == "divisibleby";
  }

  NodeResult ParseFilter() {
    NodeId operand = TT_TRY(ParseSign());
    while (TakePunctuation("|")) {
      Node node = Make(NodeKind::kFilter, {operand});
      TT_RETURN_IF_ERROR(ParseFilterCall(node));
      operand = TT_TRY(Add(std::move(node)));
    }
    return operand;
  }

  NodeResult ParseSign() {
    std::vector<NodeKind> signs;
    while (Peek().type == TokenType::kSign ||
           (Peek().type == TokenType::kAdditive && Peek().text != "~")) {
      signs.push_back(tokens_[position_++].text == "-" ? NodeKind::kNegate : NodeKind::kPlus);
    }
    NodeId value = TT_TRY(ParsePostfix());
    for (; !signs.empty(); signs.pop_back()) value = TT_TRY(Add(signs.back(), {value}));
    return value;
  }

  // Members, subscripts and calls.
  NodeResult ParsePostfix() {
    NodeId value = TT_TRY(ParsePrimary());
    while (true) {
      if (TakePunctuation(".")) {
        value = TT_TRY(ParseMember(value));
      } else if (TakePunctuation("[")) {
        value = TT_TRY(ParseSubscript(value));
      } else if (IsPunctuation("(")) {
        Node node = Make(NodeKind::kCall, {value});
        TT_RETURN_IF_ERROR(ParseArguments(node.kids));
        value = TT_TRY(Add(std::move(node)));
      } else {
        return value;
      }
    }
  }

  NodeResult ParseMember(NodeId object) {
    Node node = Make(NodeKind::kMember, {object});
    if (Peek().type == TokenType::kNumber) {
      node.literal = TT_TRY(ParseNumber(tokens_[position_++].text));
      if (!node.literal.is_int()) return Fail("expected a name or an integer after '.'");
    } else {
      node.name = TT_TRY(ExpectWord("a name after '.'"));
    }
    return Add(std::move(node));
  }

  NodeResult ParseSubscript(NodeId object) {
    std::vector<NodeId> parts;
    bool slice = false;
    while (!IsPunctuation("]")) {
      if (TakePunctuation(":")) {
        parts.push_back(kNoNode);
        slice = true;
      } else {
        parts.push_back(TT_TRY(ParseExpression()));
        slice |= TakePunctuation(":");
      }
    }
    ++position_;
    if (parts.empty() || parts.size() > 3 || (!slice && parts.size() != 1)) {
      return Fail("bad subscript");
    }
    if (!slice) return Add(NodeKind::kIndex, {object, parts[0]});
    parts.resize(3, kNoNode);
    return Add(NodeKind::kSlice, {object, parts[0], parts[1], parts[2]});
  }

  // Appends the arguments: positional ones, one `*list`, keywords, `**mapping` at the end.
  Status ParseArguments(std::vector<NodeId>& out) {
    TT_RETURN_IF_ERROR(ExpectPunctuation("("));
    bool keyword = false, spread = false;
    while (!TakePunctuation(")")) {
      if (Take(TokenType::kPower, "**")) {
        NodeId map = TT_TRY(ParseExpression());
        out.push_back(TT_TRY(Add(NodeKind::kKeywordSpread, {map})));
        TakePunctuation(",");
        return ExpectPunctuation(")");
      }
      if (Take(TokenType::kMultiplicative, "*")) {
        if (spread) return Fail("two '*' arguments");
        spread = true;
        NodeId list = TT_TRY(ParseExpression());
        out.push_back(TT_TRY(Add(NodeKind::kSpread, {list})));
      } else if (Peek().type == TokenType::kIdentifier && Peek(1).type == TokenType::kPunctuation &&
                 Peek(1).text == "=") {
        keyword = true;
        std::string name = tokens_[position_].text;
        position_ += 2;
        out.push_back(TT_TRY(AddKeyword(std::move(name))));
      } else {
        if (keyword || spread) return Fail("a positional argument follows a keyword or '*' argument");
        out.push_back(TT_TRY(ParseExpression()));
      }
      if (!TakePunctuation(",") && !IsPunctuation(")")) return Fail("expected ',' or ')'");
    }
    return Ok{};
  }

  Result<Value> ParseNumber(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    if (text.find('.') == std::string_view::npos) {
      int64_t value = 0;
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc()) return Fail("integer out of range");
      return Value(value);
    }
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return Fail("number out of range");
    return Value(value);
  }

  NodeResult AddLiteral(Value value) {
    Node node = Make(NodeKind::kLiteral);
    node.literal = std::move(value);
    return Add(std::move(node));
  }

  NodeResult ParsePrimary() {
    if (TakePunctuation("(")) {
      NodeId inside = TT_TRY(ParseSequence(false));
      TT_RETURN_IF_ERROR(ExpectPunctuation(")"));
      return inside;
    }
    if (TakePunctuation("[")) return ParseListLiteral();
    if (TakePunctuation("{")) return ParseDictLiteral();
    switch (Peek().type) {
      case TokenType::kNumber: return AddLiteral(TT_TRY(ParseNumber(tokens_[position_++].text)));
      case TokenType::kIdentifier: return AddIdentifier(tokens_[position_++].text);
      case TokenType::kString: {
        std::string text;
        while (Peek().type == TokenType::kString) text += tokens_[position_++].text;
        return AddLiteral(Value(std::move(text)));
      }
      default: return Fail("expected an expression");
    }
  }

  NodeResult ParseListLiteral() {
    std::vector<NodeId> items;
    while (!TakePunctuation("]")) {
      items.push_back(TT_TRY(ParseExpression()));
      TakePunctuation(",");
    }
    return Add(NodeKind::kList, std::move(items));
  }

  NodeResult ParseDictLiteral() {
    std::vector<NodeId> items;
    while (!TakePunctuation("}")) {
      items.push_back(TT_TRY(ParseExpression()));
      TT_RETURN_IF_ERROR(ExpectPunctuation(":"));
      items.push_back(TT_TRY(ParseExpression()));
      TakePunctuation(",");
    }
    return Add(NodeKind::kDict, std::move(items));
  }

  std::vector<Token> tokens_;
  size_t position_ = 0;
  unsigned depth_ = 0;
  std::map<std::string, uint32_t> name_ids_;
  Program program_;
};

}  // namespace

Result<Program> Parse(std::string_view source) { return Parser(TT_TRY(Tokenize(source))).Run(); }

}  // namespace teetee::model::jinja
