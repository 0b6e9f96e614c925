/* parse.y — tokens to the syntax tree of ast.def; an action is one constructor call
 * (parse_build*.c). Pure, pushed by parse_driver.c; no conflicts. Statements are parsed alike
 * everywhere; what may stand in which body is decided by parse_items.c. SPEC: grammar. */
%require "3.8"
%define api.pure full
%define api.push-pull push
%define api.prefix {lang_}
%define api.token.prefix {TOK_}
%define api.location.type {Span}
%define parse.lac full
%define parse.error custom
/* Without default reductions `error` is reduced only before a token that may follow it: what is
 * skipped is skipped where the error is, and never at the cost of the statements before it. */
%define lr.default-reduction accepting
%locations
%expect 0
%param {Parser *p}

%code requires {
#include "lang/parse_int.h"
}
%code {
/* An empty construct lies at the end of what is before it. */
#define YYLLOC_DEFAULT(whole, rhs, n)                                                             \
	((whole) = (n) ? span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n))                            \
	               : (Span){YYRHSLOC(rhs, 0).file, YYRHSLOC(rhs, 0).hi, YYRHSLOC(rhs, 0).hi})
#define YYMAXDEPTH 40000
static void lang_error(const Span *at, Parser *p, const char *message);
#define NODE(kind, at, ...) BUILD(p, AST_##kind, at, __VA_ARGS__)
#define FROM_LIST(kind, at, name, first, list) build_from(p, AST_##kind, at, name, first, list)
#define ITEMS(owner, list) build_items(p, AST_##owner, list)
#define FLAG build_flag
#define LIST(item) build_list(p, build_none(), (item))
}

%union {
	Token tok;
	Ast *node;
	AstList list;
	unsigned number;
	uint32_t flags;
}

%token END 0 "the end of the file"
%token START_FILE "the beginning" START_EXPRESSION "the beginning of an expression"
%token NEWLINE "the end of the line" SEMI ";"
%token <tok> NAME "a name" NUM "a number" STR "a string" UNIT "a unit" SUP "a superscript"
%token <tok> COMMAND "a command"
%token <tok> BAD "a strange character"
%token <tok> PLUS "+" MINUS "-" STAR "*" SLASH "/" CARET "^" ASSIGN "=" EQ "==" NE "!=" LT "<"
%token <tok> LE "<=" GT ">" GE ">="
%token <tok> TILDE "~" BAR "|" PIPE "|>" ARROW "->" COMMA "," COLON ":" DOT "." DOTS ".."
%token <tok> LPAREN "(" RPAREN ")" LBRACK "[" RBRACK "]" LBRACE "{" RBRACE "}"
%token <tok> PARTIAL "∂" PARTIALOP "∂[" SUM "sum" REDUCER "max" EXPECT "expect" TYPE "a type"
%token <tok> IF "if" THEN "then" ELSE "else" AND "and" OR "or" NOT "not" IN "in" UNTIL "until"
%token <tok> MOD "mod" DIV "div" XOR "xor" SHL "shl" SHR "shr" BAND "band" BOR "bor"
%token <tok> AGAINST "against" AS "as" AT "at" BY "by" COMPLETE "complete" EPOCHS "epochs" EQUIVARIANT "equivariant"
%token <tok> EVERY "every" FOR "for" OF "of"
%token <tok> FROM "from" INTO "into" INVARIANT "invariant" ON "on" OVER "over" PERIODIC "periodic"
%token <tok> SHARED "shared"
%token <tok> STEPS "steps" SYMMETRIZED "symmetrized" TIMES "times" TO "to" UNDER "under"
%token <tok> WHERE "where" WITH "with" WITHIN "within"
%token <tok> ACTIVATION "activation" ASSERT "assert" AXIS "axis" BOUND "bound" CONST "const"
%token <tok> DATA "data"
%token <tok> DERIVATIVE "derivative" DOMAIN "domain" EQUATION "equation" EXPORT "export" FN "fn"
%token <tok> FREEZE "freeze"
%token <tok> GROUP "group" IMPOSE "impose" LAYER "layer" LET "let" LOAD "load" LOSS "loss"
%token <tok> MAXIMIZE "maximize"
%token <tok> MINIMIZE "minimize" NET "net" NEXT "next" OPTIMIZER "optimizer" PARAM "param"
%token <tok> PLOT "plot"
%token <tok> POINTS "points" PRECISION "precision" PRINT "print" PROVE "prove" RECORD "record"
%token <tok> REPEAT "repeat"
%token <tok> RESET "reset" RETURN "return" SAVE "save" SET "set" SPLIT "split" STATE "state"
%token <tok> SWEEP "sweep"
%token <tok> TEST "test" TRAIN "train" USE "use"

%type <tok> name plain_name any_word relop mulop bitop unit_opt
%type <list> items exprs args call_args elements indices binder_list names labels fparams
%type <list> type_axes constraints parts
%type <list> targets claim plain_claim invariance claim_option plot_options variables sets
%type <list> claim_fors
%type <list> type_list symmetries
%type <node> item statement expr pipe or_expr and_expr not_expr compare range arith bits additive
%type <node> term open_term
%type <node> linear product factor derivative power exponent postfix primary arg element index
%type <node> binders binder pattern
%type <node> filter condition dvar block type axes_opt fparam fparam_list params result_opt body
%type <node> symmetrized_opt
%type <node> type_opt default_opt from_opt at_opt by_opt rows_opt where_opt seed_opt domain_opt on_opt until_opt over_opt
%type <node> path_opt
%type <node> export_with plot_option every_opt symmetry else_opt target part amount if_statement set_item
%type <node> data_body claim_for
%type <node> definition declaration function field training experiment output claim_statement
%type <node> command
%type <number> order
%type <flags> periodic_opt shared_opt complete_opt fn_word

%%

input:
	START_FILE items                       { p->result = build_file(p, $items); }
	| START_EXPRESSION expr newlines       { p->result = $expr; }
	;
newlines: %empty | newlines NEWLINE | newlines SEMI ;

/* The separators stand in the rules themselves: behind one `error` can be shifted at once. */
items:
	item                                   { $$ = $item ? LIST($item) : build_none(); yyerrok; }
	| items[l] NEWLINE item                { $$ = build_list(p, $l, $item); yyerrok; }
	| items[l] SEMI item                   { $$ = build_list(p, $l, $item); yyerrok; }
	;
item:
	%empty                                 { $$ = NULL; }
	| statement
	| error                                { $$ = build_error(p, AST_ERROR_STMT, @$); }
	;
block: "{" items "}"                       { $$ = build_block(p, @$, $items); } ;

/* ---- names ------------------------------------------------------------------------------- */

/* Every contextual word is a name where a name is expected. */
name: plain_name | FROM | TO | WITH ;
plain_name:
	NAME | AGAINST | AS | AT | BY | COMPLETE | EPOCHS | EQUIVARIANT | EVERY | FOR | INTO | INVARIANT | OF | ON
	| OVER | PERIODIC | SHARED | STEPS | SYMMETRIZED | TIMES | UNDER | WHERE
	| WITHIN
	;
any_word: name | TYPE ;
names:
	name                                   { $$ = LIST(build_name(p, &$name)); }
	| names[l] "," name                    { $$ = build_list(p, $l, build_name(p, &$name)); }
	;

/* ---- expressions, loosest first ---------------------------------------------------------- */

expr:
	pipe
	| IF condition THEN expr[a] ELSE expr[b] { $$ = NODE(IF, @$, NULL, $condition, $a, $b); }
	;
/* What decides something; a lone = there is a mistake with a hint. */
condition:
	expr                                   { $$ = build_question(p, $expr); }
	| expr[l] "=" expr[r]                  { $$ = build_condition(p, &$2, $l, $r); }
	;
pipe: or_expr | pipe[l] "|>" postfix       { $$ = NODE(PIPE, @$, NULL, $l, $postfix); } ;
or_expr: and_expr | or_expr[l] OR and_expr[r] { $$ = build_binary(p, &$2, "or", $l, $r); } ;
and_expr: not_expr | and_expr[l] AND not_expr[r] { $$ = build_binary(p, &$2, "and", $l, $r); } ;
not_expr: compare | NOT not_expr[e]        { $$ = build_unary(p, &$1, $e); } ;
compare: range | compare[l] relop range[r] { $$ = build_compare(p, &$relop, $l, $r); } ;
relop: "==" | "!=" | "<" | "<=" | ">" | ">=" ;
range: arith | arith[l] ".." arith[r]      { $$ = NODE(RANGE, @$, NULL, $l, $r); } ;
arith: additive | bits ;
/* Bit operations mix with nothing without brackets. */
bits:
	factor[l] bitop factor[r]              { $$ = build_bits(p, &$bitop, $l, $r); }
	| bits[l] bitop factor[r]              { $$ = build_bits(p, &$bitop, $l, $r); }
	;
bitop: XOR | SHL | SHR | BAND | BOR ;
additive:
	term
	| additive[l] "+" term[r]              { $$ = build_binary(p, &$2, "+", $l, $r); }
	| additive[l] "-" term[r]              { $$ = build_binary(p, &$2, "-", $l, $r); }
	;
/* A linear reducer reaches over * and / to its right and stops at + and -; so a term is a product,
 * or ends in a reducer. */
term:
	product
	| product[l] mulop open_term[r]        { $$ = build_binary(p, &$mulop, NULL, $l, $r); }
	| open_term
	;
open_term: linear | "-" open_term[e]       { $$ = build_unary(p, &$1, $e); } ;
linear:
	SUM binders term                       { $$ = build_reduce(p, @$, &$SUM, $binders, $term); }
	| EXPECT binders term                  { $$ = build_reduce(p, @$, &$EXPECT, $binders, $term); }
	;
product: factor | product[l] mulop factor[r] { $$ = build_binary(p, &$mulop, NULL, $l, $r); } ;
mulop: "*" | "/" | MOD | DIV ;
factor: power | derivative | "-" factor[e] { $$ = build_unary(p, &$1, $e); } ;
derivative:
	PARTIAL order postfix "/" variables {
		$$ = build_partial(p, @$, &$PARTIAL, $order, $postfix, $variables); }
	| PARTIALOP "[" exprs "]" postfix      {
		Ast *indices = FROM_LIST(TUPLE, span_join(@2, @4), NULL, NULL, $exprs);
		$$ = NODE(PARTIALOP, @$, &$PARTIALOP, indices, $postfix); }
	;
variables: dvar { $$ = LIST($dvar); } | variables[l] dvar { $$ = build_list(p, $l, $dvar); } ;
dvar: PARTIAL postfix order                { $$ = build_dvar(p, @$, $postfix, $order); } ;
order:
	%empty                                 { $$ = 1; }
	| SUP                                  { $$ = build_order(p, &$SUP); }
	| "^" NUM                              { $$ = build_order(p, &$NUM); }
	;
power:
	postfix
	| postfix[l] "^" exponent[r]           { $$ = build_binary(p, &$2, "^", $l, $r); }
	| postfix[l] SUP                       { $$ = build_superscript(p, $l, &$SUP); }
	;
exponent: power | "-" exponent[e]          { $$ = build_unary(p, &$1, $e); } ;
postfix:
	primary
	| postfix[b] "[" indices "]"           { $$ = FROM_LIST(INDEX, @$, NULL, $b, $indices); }
	| postfix[b] "(" call_args ")"         { $$ = FROM_LIST(CALL, @$, NULL, $b, $call_args); }
	| postfix[b] "." any_word              { $$ = NODE(FIELD, @$, &$any_word, $b); }
	;
primary:
	any_word                               { $$ = build_name(p, &$any_word); }
	| NUM                                  { $$ = build_number(p, &$NUM); }
	| NUM UNIT                             { $$ = build_quantity(p, &$NUM, &$UNIT, @$); }
	| STR                                  { $$ = build_string(p, &$STR); }
	| "(" args ")"                         { $$ = build_brackets(p, @$, $args); }
	| "[" elements "]"                     { $$ = build_array(p, @$, $elements); }
	| "[" elements "->" expr "]"           { $$ = build_comprehension(p, @$, $elements, $expr); }
	| REDUCER binders "(" args ")"         {
		$$ = build_metric(p, @$, &$REDUCER, $binders, $args, span_join(@3, @5)); }
	| EXPECT binders block {
		$$ = build_reduce(p, @$, &$EXPECT, $binders, $block); }
	;
exprs: expr { $$ = LIST($expr); } | exprs[l] "," expr { $$ = build_list(p, $l, $expr); } ;
call_args: %empty { $$ = build_none(); } | args ;
args: arg { $$ = LIST($arg); } | args[l] "," arg { $$ = build_list(p, $l, $arg); } ;
arg:
	expr
	| expr[l] "=" expr[r]                  { $$ = build_argument(p, $l, $r); }
	| expr[l] "=" expr[r] OF expr[s]       { /* batch = 64 of train */
		$$ = build_argument(p, $l, build_binary(p, &$OF, "of", $r, $s)); }
	| error                                { $$ = build_error(p, AST_ERROR_EXPR, @$); }
	;
elements:
	element { $$ = LIST($element); }
	| elements[l] "," element { $$ = build_list(p, $l, $element); }
	;
element:
	expr
	| expr[l] IN expr[r]                   { $$ = build_element(p, $l, $r, AST_IN); }
	| expr[l] ":" expr[r]                  { $$ = build_element(p, $l, $r, AST_IN); }
	| error                                { $$ = build_error(p, AST_ERROR_EXPR, @$); }
	;
indices: index { $$ = LIST($index); } | indices[l] "," index { $$ = build_list(p, $l, $index); } ;
index:
	expr
	| expr[l] IN expr[r]                   { $$ = build_place(p, $l, $r); }
	| "*"                                  { $$ = NODE(OPERATOR, @$, &$1); }
	| error                                { $$ = build_error(p, AST_ERROR_EXPR, @$); }
	;
binders: "[" binder_list filter "]"        { $$ = build_binders(p, @$, $binder_list, $filter); } ;
binder_list:
	binder { $$ = LIST($binder); }
	| binder_list[l] "," binder { $$ = build_list(p, $l, $binder); }
	;
binder:
	pattern                                { $$ = build_binder(p, $pattern, NULL, 0); }
	| pattern IN expr                      { $$ = build_binder(p, $pattern, $expr, AST_IN); }
	| pattern ":" expr                     { $$ = build_binder(p, $pattern, $expr, AST_IN); }
	| pattern "~" expr                     { $$ = build_binder(p, $pattern, $expr, AST_DRAW); }
	| pattern "=" expr                     { $$ = build_argument(p, $pattern, $expr); }
	| error                                { $$ = build_error(p, AST_ERROR_EXPR, @$); }
	;
pattern:
	name                                   { $$ = build_name(p, &$name); }
	| "(" names ")"                        { $$ = FROM_LIST(TUPLE, @$, NULL, NULL, $names); }
	;
filter: %empty { $$ = NULL; } | IF condition { $$ = $condition; } ;
sets:
	set_item { $$ = LIST($set_item); }
	| sets[l] "," set_item { $$ = build_list(p, $l, $set_item); }
	;
set_item: pattern IN expr                  { $$ = build_binder(p, $pattern, $expr, AST_IN); } ;

/* ---- types, formal parameters ------------------------------------------------------------ */

type:
	any_word type_axes unit_opt {
		$$ = build_type(p, @$, &$any_word, $type_axes, $unit_opt.kind ? &$unit_opt : NULL); }
	;
type_axes: %empty { $$ = build_none(); } | "[" exprs "]" { $$ = $exprs; } ;
unit_opt: %empty { $$ = (Token){0}; } | UNIT ;
type_opt: %empty { $$ = NULL; } | ":" type { $$ = $type; } ;
type_list: type { $$ = LIST($type); } | type_list[l] "," type { $$ = build_list(p, $l, $type); } ;
axes_opt: %empty { $$ = NULL; } | "[" names "]" { $$ = FROM_LIST(NAMES, @$, NULL, NULL, $names); } ;
params: "(" fparam_list ")"                { $$ = $fparam_list; $$->span = @$; } ;
fparam_list:
	%empty                                 { $$ = NODE(FPARAMS, @$, NULL); }
	| fparams                              { $$ = FROM_LIST(FPARAMS, @$, NULL, NULL, $fparams); }
	| fparams[a] SEMI fparams[b]           {
		$$ = FROM_LIST(FPARAMS, @$, NULL, NULL, build_concat(p, $a, $b, AST_AFTER_SEMI)); }
	;
fparams:
	fparam { $$ = LIST($fparam); }
	| fparams[l] "," fparam { $$ = build_list(p, $l, $fparam); }
	;
fparam: name type_opt default_opt { $$ = NODE(FPARAM, @$, &$name, $type_opt, $default_opt); } ;
default_opt: %empty { $$ = NULL; } | "=" expr { $$ = $expr; } ;

/* ---- statements -------------------------------------------------------------------------- */

statement:
	declaration
	| function
	| definition
	| field
	| training
	| experiment
	| output
	| claim_statement
	| command
	;

declaration:
	USE postfix until_opt {
		$$ = build_use(p, @$, $postfix, NULL, $until_opt, 0); }
	| USE postfix FOR expr STEPS until_opt {
		$$ = build_use(p, @$, $postfix, $expr, $until_opt, AST_STEPS); }
	| USE postfix FOR expr EPOCHS until_opt {
		$$ = build_use(p, @$, $postfix, $expr, $until_opt, AST_EPOCHS); }
	| PRECISION name                       { $$ = NODE(PRECISION, @$, &$name); }
	| CONST name type_opt "=" expr         { $$ = NODE(CONST, @$, &$name, $type_opt, $expr); }
	| CONST name type_opt "~" expr         { $$ = build_const_draw(p, @$, &$name, $type_opt, $expr); }
	| AXIS name                            { $$ = NODE(AXIS, @$, &$name, NULL); }
	| AXIS name "=" expr periodic_opt {
		$$ = FLAG(NODE(AXIS, @$, &$name, $expr), $periodic_opt); }
	| AXIS name "=" labels periodic_opt    {
		Ast *labels = FROM_LIST(LABELS, @labels, NULL, NULL, $labels);
		$$ = FLAG(NODE(AXIS, @$, &$name, labels), $periodic_opt); }
	| PARAM name ":" type constraints from_opt {
		$$ = build_param(p, @$, &$name, $type, NULL, $from_opt, $constraints, 0); }
	| PARAM name ":" type constraints from_opt "=" expr {
		$$ = build_param(p, @$, &$name, $type, $expr, $from_opt, $constraints, AST_EQ); }
	| PARAM name ":" type constraints from_opt "~" expr {
		$$ = build_param(p, @$, &$name, $type, $expr, $from_opt, $constraints, AST_DRAW); }
	| DATA name data_body {
		$$ = build_data(p, @$, &$name, NULL, NULL, $data_body, false); }
	| DATA name FROM expr rows_opt data_body {
		$$ = build_rows(build_data(p, @$, &$name, $expr, NULL, $data_body, false), $rows_opt); }
	| DATA name FROM expr[e] rows_opt ELSE expr[o] data_body {
		$$ = build_rows(build_data(p, @$, &$name, $e, $o, $data_body, false), $rows_opt); }
	| DATA name "=" expr {
		$$ = build_data(p, @$, &$name, $expr, NULL, NULL, true); }
	| DATA name "=" expr data_body {
		$$ = build_data(p, @$, &$name, NULL, $expr, $data_body, true); }
	| SPLIT name by_opt INTO parts seed_opt {
		$$ = build_split(p, @$, &$name, $by_opt, $seed_opt, $parts); }
	| DOMAIN name "{" items "}" {
		$$ = FROM_LIST(DOMAIN, @$, &$name, NULL, ITEMS(DOMAIN, $items)); }
	| POINTS name "=" expr                 { $$ = NODE(POINTS, @$, &$name, $expr); }
	| GROUP name ":" expr[a] "->" expr[b] {
		$$ = NODE(GROUP, @$, &$name, NODE(FPARAMS, @name, NULL), $a, $b); }
	| GROUP name params ":" expr[a] "->" expr[b] {
		$$ = NODE(GROUP, @$, &$name, $params, $a, $b); }
	| LOSS name "=" expr                   { $$ = NODE(LOSS, @$, &$name, $expr); }
	;
periodic_opt: %empty { $$ = 0; } | PERIODIC { $$ = AST_PERIODIC; } ;
labels:
	name[a] "|" name[b] {
		$$ = build_list(p, LIST(build_name(p, &$a)), build_name(p, &$b)); }
	| labels[l] "|" name                   { $$ = build_list(p, $l, build_name(p, &$name)); }
	;
constraints:
	%empty { $$ = build_none(); }
	| constraints[l] NAME { $$ = build_list(p, $l, build_name(p, &$NAME)); }
	;
rows_opt:
	%empty                                 { $$ = NULL; }
	| where_opt BY expr complete_opt {
		$$ = FLAG(NODE(ROWS, @$, NULL, $where_opt, $expr), $complete_opt); }
	| WHERE condition complete_opt {
		$$ = FLAG(NODE(ROWS, @$, NULL, $condition, NULL), $complete_opt); }
	| COMPLETE                             { $$ = FLAG(NODE(ROWS, @$, NULL, NULL, NULL), AST_COMPLETE); }
	;
where_opt: %empty { $$ = NULL; } | WHERE condition { $$ = $condition; } ;
complete_opt: %empty { $$ = 0; } | COMPLETE { $$ = AST_COMPLETE; } ;
data_body: "{" items "}" { $$ = FROM_LIST(BLOCK, @$, NULL, NULL, ITEMS(DATA, $items)); } ;
by_opt: %empty { $$ = NULL; } | BY expr    { $$ = $expr; } ;
parts: part { $$ = LIST($part); } | parts[l] "," part { $$ = build_list(p, $l, $part); } ;
part: name amount                          { $$ = NODE(PART, @$, &$name, $amount); } ;
amount:
	NUM                                    { $$ = build_number(p, &$NUM); }
	| NAME                                 { $$ = build_name(p, &$NAME); }
	| "(" expr ")"                         { $$ = NODE(PAREN, @$, NULL, $expr); }
	;
seed_opt: %empty { $$ = NULL; } | WITH name "=" expr { $$ = build_seed(p, &$name, $expr); } ;

function:
	fn_word name axes_opt params result_opt symmetrized_opt body {
		$$ = FLAG(NODE(FN, @$, &$name, $axes_opt, $params, $result_opt, $body, $symmetrized_opt),
		          $fn_word); }
	| DERIVATIVE postfix "=" expr          { $$ = NODE(DERIVATIVE, @$, NULL, $postfix, $expr); }
	| EQUATION name domain_opt "{" items "}" {
		$$ = FROM_LIST(EQUATION, @$, &$name, $domain_opt, ITEMS(EQUATION, $items)); }
	| IMPOSE name "{" items "}" {
		$$ = FROM_LIST(IMPOSE, @$, &$name, NULL, ITEMS(IMPOSE, $items)); }
	| OPTIMIZER name params "{" items "}"  {
		Ast *body = FROM_LIST(BLOCK, span_join(@4, @6), NULL, NULL, ITEMS(OPTIMIZER, $items));
		$$ = NODE(OPTIMIZER, @$, &$name, $params, body); }
	| RETURN expr                          { $$ = NODE(RETURN, @$, NULL, $expr); }
	| STATE name "=" expr                  { $$ = NODE(STATE, @$, &$name, $expr); }
	| NEXT name "=" expr                   { $$ = NODE(NEXT, @$, &$name, $expr); }
	;
fn_word:
	FN                                     { $$ = AST_FN_; }
	| LAYER                                { $$ = AST_LAYER; }
	| NET                                  { $$ = AST_NET; }
	| ACTIVATION                           { $$ = AST_ACTIVATION; }
	;
result_opt:
	%empty                                 { $$ = NULL; }
	| "->" type                            { $$ = $type; }
	| "->" "(" type_list ")" {
		$$ = FROM_LIST(TUPLE, span_join(@2, @4), NULL, NULL, $type_list); }
	;
body: "=" expr { $$ = $expr; } | block ;
symmetrized_opt:
	%empty                                 { $$ = NULL; }
	| SYMMETRIZED UNDER symmetries {
		$$ = FROM_LIST(GROUP_ON, @$, NULL, NULL, $symmetries); }
	;
domain_opt: %empty { $$ = NULL; } | ON expr { $$ = $expr; } ;

/* The left side is checked by build_items and later, where it is known what it may be. */
definition:
	expr                                   
	| expr[l] "=" expr[r]                  { $$ = FLAG(NODE(DEF, @$, NULL, $l, $r), AST_EQ); }
	| expr[l] "~" expr[r]                  { $$ = FLAG(NODE(DEF, @$, NULL, $l, $r), AST_DRAW); }
	| expr[l] IN expr[r]                   { $$ = NODE(DOMAINVAR, @$, NULL, $l, $r); }
	| LET name type_opt "=" expr           { $$ = NODE(LET, @$, &$name, $type_opt, $expr); }
	| LET "(" names ")" "=" expr           {
		Ast *pattern = FROM_LIST(TUPLE, span_join(@2, @4), NULL, NULL, $names);
		$$ = NODE(LET, @$, NULL, pattern, $expr); }
	;
field:
	name ":" type shared_opt from_opt at_opt {
		$$ = FLAG(NODE(FIELDDECL, @$, &$name, $type, $from_opt, NULL, $at_opt), $shared_opt); }
	| name ":" type shared_opt from_opt at_opt "=" expr {
		$$ = FLAG(NODE(FIELDDECL, @$, &$name, $type, $from_opt, $expr, $at_opt),
		          $shared_opt | AST_EQ); }
	| name ":" type shared_opt from_opt at_opt "~" expr {
		$$ = FLAG(NODE(FIELDDECL, @$, &$name, $type, $from_opt, $expr, $at_opt),
		          $shared_opt | AST_DRAW); }
	;
shared_opt: %empty { $$ = 0; } | SHARED { $$ = AST_SHARED; } ;
from_opt: %empty { $$ = NULL; } | FROM expr { $$ = $expr; } ;
at_opt: %empty { $$ = NULL; } | AT expr { $$ = $expr; } ;

training:
	TRAIN name "{" items "}" {
		$$ = FROM_LIST(TRAIN, @$, &$name, NULL, ITEMS(TRAIN, $items)); }
	| MINIMIZE expr over_opt               { $$ = NODE(MINIMIZE, @$, NULL, $expr, $over_opt); }
	| MAXIMIZE expr over_opt {
		$$ = FLAG(NODE(MINIMIZE, @$, NULL, $expr, $over_opt), AST_MAXIMIZE); }
	| SET postfix "=" expr                 { $$ = NODE(SET, @$, NULL, $postfix, $expr); }
	| FREEZE targets                       { $$ = build_freeze(p, @$, &$FREEZE, $targets); }
	;
over_opt:
	%empty                                 { $$ = NULL; }
	| OVER exprs                           { $$ = build_several(p, @exprs, $exprs); }
	;
until_opt: %empty { $$ = NULL; } | UNTIL condition { $$ = $condition; } ;

experiment:
	SWEEP sets block {
		$$ = FROM_LIST(SWEEP, @$, NULL, NULL, build_list(p, $sets, $block)); }
	| REPEAT expr TIMES until_opt block {
		$$ = NODE(REPEAT, @$, NULL, $expr, $until_opt, $block); }
	| REPEAT UNTIL condition block {
		$$ = NODE(REPEAT, @$, NULL, NULL, $condition, $block); }
	| if_statement
	| RECORD args path_opt every_opt {
		Ast *record = build_record(p, span_join(@1, @3), $args, $path_opt);
		$$ = build_every(p, @$, record, $every_opt); }
	| RESET seed_opt                       { $$ = build_reset(p, @$, build_none(), $seed_opt); }
	| RESET targets seed_opt               { $$ = build_reset(p, @$, $targets, $seed_opt); }
	;
if_statement: IF condition block else_opt { $$ = NODE(IFSTMT, @$, NULL, $condition, $block, $else_opt); } ;
else_opt:
	%empty { $$ = NULL; }
	| ELSE block { $$ = $block; }
	| ELSE if_statement { $$ = build_block(p, @$, LIST($if_statement)); }
	;
path_opt: %empty { $$ = NULL; } | TO expr  { $$ = $expr; } ;
every_opt: %empty { $$ = NULL; } | EVERY expr { $$ = $expr; } | EVERY expr STEPS { $$ = $expr; } ;

output:
	PRINT exprs every_opt                  {
		Ast *print = FROM_LIST(PRINT, span_join(@1, @2), NULL, NULL, $exprs);
		$$ = build_every(p, @$, print, $every_opt); }
	| PLOT args plot_options               { $$ = build_plot(p, @$, $args, $plot_options); }
	| SAVE TO expr                         { $$ = NODE(SAVE, @$, NULL, $expr); }
	| SAVE targets TO expr {
		$$ = FROM_LIST(SAVE, @$, NULL, NULL, build_list(p, $targets, $expr)); }
	| LOAD FROM expr                       { $$ = NODE(LOAD, @$, NULL, $expr); }
	| LOAD targets FROM expr {
		$$ = FROM_LIST(LOAD, @$, NULL, NULL, build_list(p, $targets, $expr)); }
	| EXPORT targets TO expr {
		$$ = FROM_LIST(EXPORT, @$, NULL, NULL, build_list(p, $targets, $expr)); }
	| EXPORT targets export_with TO expr {
		AstList all = build_list(p, $targets, $export_with);
		$$ = FROM_LIST(EXPORT, @$, NULL, NULL, build_list(p, all, $expr)); }
	;
export_with: WITH args { $$ = NODE(PLOTOPT, @$, &$1, build_several(p, @2, $2)); } ;
/* What is saved, reset or frozen begins with a name that is none of the words behind the list. */
targets:
	target { $$ = LIST($target); }
	| targets[l] "," target { $$ = build_list(p, $l, $target); }
	;
target:
	plain_name                             { $$ = build_name(p, &$plain_name); }
	| target[b] "(" call_args ")"          { $$ = FROM_LIST(CALL, @$, NULL, $b, $call_args); }
	| target[b] "[" indices "]"            { $$ = FROM_LIST(INDEX, @$, NULL, $b, $indices); }
	| target[b] "." any_word               { $$ = NODE(FIELD, @$, &$any_word, $b); }
	;
plot_options:
	%empty { $$ = build_none(); }
	| plot_options[l] plot_option { $$ = build_list(p, $l, $plot_option); }
	;
plot_option:
	OVER exprs {
		$$ = NODE(PLOTOPT, @$, &$1, build_several(p, @2, $2)); }
	| AGAINST exprs {
		$$ = NODE(PLOTOPT, @$, &$1, build_several(p, @2, $2)); }
	| FOR sets                             {
		$$ = NODE(PLOTOPT, @$, &$1, build_several(p, @2, $2)); }
	| AS expr                              { $$ = NODE(PLOTOPT, @$, &$1, $2); }
	| TO expr                              { $$ = NODE(PLOTOPT, @$, &$1, $2); }
	| WITH args {
		$$ = NODE(PLOTOPT, @$, &$1, build_several(p, @2, $2)); }
	;

claim_statement:
	PROVE claim                            { $$ = FROM_LIST(PROVE, @$, NULL, NULL, $claim); }
	| TEST claim                           { $$ = FROM_LIST(TEST, @$, NULL, NULL, $claim); }
	| ASSERT claim                         { $$ = FROM_LIST(ASSERT, @$, NULL, NULL, $claim); }
	| BOUND claim                          { $$ = FROM_LIST(BOUND, @$, NULL, NULL, $claim); }
	;
/* The claim and its options. `on` of an invariance belongs to the symmetry. */
claim: plain_claim | invariance ;
plain_claim:
	condition                              { $$ = LIST($condition); }
	| plain_claim[l] claim_option          { $$ = build_concat(p, $l, $claim_option, 0); }
	| plain_claim[l] ON expr               {
		$$ = build_list(p, $l, NODE(CLAIMOPT, span_join(@2, @3), &$2, $3)); }
	;
invariance:
	expr INVARIANT UNDER symmetries        {
		$$ = LIST(FROM_LIST(INVARIANT, @$, NULL, $expr, $symmetries)); }
	| expr EQUIVARIANT UNDER symmetries    {
		Ast *claim = FROM_LIST(INVARIANT, @$, NULL, $expr, $symmetries);
		$$ = LIST(FLAG(claim, AST_EQUIVARIANT)); }
	| invariance[l] claim_option           { $$ = build_concat(p, $l, $claim_option, 0); }
	;
symmetries:
	symmetry { $$ = LIST($symmetry); }
	| symmetries[l] "," symmetry { $$ = build_list(p, $l, $symmetry); }
	;
symmetry: postfix on_opt                   { $$ = NODE(SYMMETRY, @$, NULL, $postfix, $on_opt); } ;
on_opt: %empty { $$ = NULL; } | ON postfix { $$ = $postfix; } ;
claim_option:
	WITHIN expr                            { $$ = LIST(NODE(CLAIMOPT, @$, &$1, $2)); }
	| AS expr                              { $$ = LIST(NODE(CLAIMOPT, @$, &$1, $2)); }
	| FOR claim_fors                       { $$ = build_claim_fors(p, &$1, $2); }
	;
claim_fors:
	claim_for                              { $$ = LIST($claim_for); }
	| claim_fors[l] "," claim_for          { $$ = build_list(p, $l, $claim_for); }
	;
claim_for: expr | expr[l] IN expr[r]       { $$ = build_element(p, $l, $r, AST_IN); } ;

command: COMMAND                           { $$ = build_command(p, @$, &$COMMAND); } ;

%%

static void lang_error(const Span *at, Parser *p, const char *message)
{
	(void)message; /* the only one that gets here is that the stack is full */
	parse_report_deep(p, *at, PARSE_DEPTH_MAX);
}

static int yyreport_syntax_error(const yypcontext_t *context, Parser *p)
{
	yysymbol_kind_t expected[YYNTOKENS];
	int kinds[YYNTOKENS];
	int n = yypcontext_expected_tokens(context, expected, YYNTOKENS), count = 0;
	for (int i = 0; i < n; i++) {
		for (int kind = 0; kind < (int)sizeof yytranslate; kind++) {
			if (YYTRANSLATE(kind) == expected[i] && expected[i] != YYSYMBOL_YYerror) {
				kinds[count++] = kind;
				break;
			}
		}
	}
	parse_report(p, kinds, (size_t)count);
	return 0;
}

const char *parse_token_name(int kind)
{
	return yysymbol_name(YYTRANSLATE(kind));
}
