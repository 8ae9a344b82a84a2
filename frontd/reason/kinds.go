// SPDX-License-Identifier: GPL-2.0-or-later

package reason

// Kind says which sentence a Reason is. What each means, and its arguments, is to be read in
// sentences.
type Kind uint8

// The kinds, None being that of the zero Reason.
const (
	None Kind = iota

	// Those of the grammar of an expression.
	LongExpr
	LongWritten
	ManyTests
	DeepExpr
	NoOpening
	NoClosing
	NoTest
	NoJoin
	NoJoinWord
	NoJoinValue
	NoEnd
	NoValue
	NoValueNot
	NoBoolean
	FlagCompared
	ListCompared
	FoundEnd
	FoundText

	// Those of names that there are not, and what may have been meant.
	NoName
	NoNameBut
	Meant
	MeantEither
	Write
	WriteAny

	// Those of the characters of an expression.
	SpellUnequal
	SpellAtLeast
	SpellAtMost
	SpellAnd
	SpellOr
	SpellList
	SpellText
	BadEncoding
	BadCharacter
	BadEscape
	NoQuote

	// Those of a filter and its members.
	InFilter
	InMember
	InColumn
	ManyMembers
	ManyValues
	NoMember
	NotExpr
	EmptyArray
	LongArray
	NestedArray
	NotInArray
	NotTwice

	// Those of values.
	NoOrder
	NotValue
	NotComparable
	EmptyValue
	LongValue
	NotBoolean
	NotFlag
	NotText
	NotName
	NotKey
	NotPort
	NotSize
	NotSpan
	NotTime
	FineTime
	NotWhole
	NotWholeNumber
	Above64Bits
	AboveLimit
	AboveIPv4
	NegativeValue
	WrongWay
	TwoFamilies
	OutsideMask
	NotAddress
	NumberIPv6
	WithInterface

	// Those of what is not configured.
	NoUsers
	NoClasses
	NoClass
	NoClassBut

	// Those of parameters, the name of which comes first.
	Param
	MaskOfMark
	NotNumber
	NegativeParam
	OutsideItsMask
	NotSeconds
	NoChange
	BadChange
	ManyMatch

	// Those of refusals.
	RoleForbids
	RoleScope
	RoleBits
	ReadOnly
	OwnConnection
	Errno
	ErrnoChanged
	Unaudited
	Unanswered
)

// sentences are all of them, by kind: the key in catalogues, and the English, where %s stands
// for a text that is quoted already where it needs to be. It is never written to.
var sentences = [...]struct{ key, english string }{
	None: {},

	LongExpr:     {"expr.long", "the expression has %d bytes, more than %d"},
	LongWritten:  {"expr.long.written", "the expression has %d bytes when all is written out, more than %d"},
	ManyTests:    {"expr.tests", "the expression has more than %d tests; any of several values is one test: dport 80,443"},
	DeepExpr:     {"expr.deep", "more than %d parentheses and nots are inside each other"},
	NoOpening:    {"expr.opening", `there is no "(" for this ")"`},
	NoClosing:    {"expr.closing", `expected ")" for the "(" in column %d, found %s`},
	NoTest:       {"expr.test", `expected a test such as "dport 443", found %s`},
	NoJoin:       {"expr.join", `expected "and" or "or" before %s`},
	NoJoinWord:   {"expr.join.word", `expected "and" or "or" before %s: write "and %s"`},
	NoJoinValue:  {"expr.join.value", `expected "and", "or" or a comma before %s; any of several values is written with commas: %s, %s`},
	NoEnd:        {"expr.end", `expected "and", "or" or the end, found %s`},
	NoValue:      {"expr.value", "expected a value of %s, found %s"},
	NoValueNot:   {"expr.value.not", `expected a value of %s, found %s: write "not %s …" or "%s != …"`},
	NoBoolean:    {"expr.boolean", "expected true or false, found %s"},
	FlagCompared: {"expr.flag", "%s is true or false, and not to be compared by %s"},
	ListCompared: {"expr.list", "%s compares with one value, not with a list"},
	FoundEnd:     {"expr.found.end", "the end"},
	FoundText:    {"expr.found.text", "the text %s"},

	NoName:      {"name", "there is no name %s"},
	NoNameBut:   {"name.but", "there is no name %s: %s"},
	Meant:       {"name.meant", "did you mean %s?"},
	MeantEither: {"name.meant.either", "did you mean %s or %s?"},
	Write:       {"name.write", "write %s"},
	WriteAny:    {"name.write.any", "write %s, %s or %s"},

	SpellUnequal: {"spell.unequal", `"not equal" is written !=`},
	SpellAtLeast: {"spell.atleast", `"greater or equal" is written >=`},
	SpellAtMost:  {"spell.atmost", `"less or equal" is written <=`},
	SpellAnd:     {"spell.and", `"and" is written and or &&`},
	SpellOr:      {"spell.or", `"or" is written or or ||`},
	SpellList:    {"spell.list", "a list of values is written without braces: 80,443"},
	SpellText:    {"spell.text", `texts stand in double quotation marks: "…"`},
	BadEncoding:  {"spell.utf8", "this is not UTF-8"},
	BadCharacter: {"spell.character", "unexpected character %q"},
	BadEscape:    {"spell.escape", `behind \ stands " or \ only`},
	NoQuote:      {"spell.quote", `the text has no closing "`},

	InFilter:    {"filter", "filter: %s"},
	InMember:    {"filter.member", "filter member %s: %s"},
	InColumn:    {"filter.column", "filter member %s: column %d: %s"},
	ManyMembers: {"filter.members", "%d members are more than %d"},
	ManyValues:  {"filter.values", "the filter has more than %d values"},
	NoMember:    {"filter.nomember", "there is no such member"},
	NotExpr:     {"filter.expr", "an expression is a string"},
	EmptyArray:  {"array.empty", "the array is empty"},
	LongArray:   {"array.long", "the array has %d values, more than %d"},
	NestedArray: {"array.nested", "an array cannot stand inside another"},
	NotInArray:  {"array.not", "%s: no ! can stand inside an array"},
	NotTwice:    {"filter.not", "%s: after ! comes the value itself"},

	NoOrder:        {"value.order", "%s does not compare with this: it has no order, only = and !="},
	NotValue:       {"value", "%s is not a value of this field"},
	NotComparable:  {"value.type", "a value of this type cannot be compared"},
	EmptyValue:     {"value.empty", "the value is empty"},
	LongValue:      {"value.long", "a value of %d bytes is longer than %d"},
	NotBoolean:     {"value.boolean", "a boolean stands only for flags"},
	NotFlag:        {"value.flag", "a flag is a boolean, not %v"},
	NotText:        {"value.text", "this field takes a string, not a number"},
	NotName:        {"value.name", "%s is not a name that this field can have"},
	NotKey:         {"value.key", "%s is not a key"},
	NotPort:        {"value.port", "%s is not a port such as 443 or 1024-65535"},
	NotSize:        {"value.size", "%s is not a number such as 1500, 100k or 1.5M (k, M and G are powers of 1000)"},
	NotSpan:        {"value.span", "%s is not a time such as 90 (seconds), 30s, 5m, 2h, 1d or 1h30m"},
	NotTime:        {"value.time", "%s is not a time as in 2006-01-02T15:04:05Z"},
	FineTime:       {"value.time.fine", "%s is finer than a nanosecond"},
	NotWhole:       {"value.whole", "%s is not a whole number"},
	NotWholeNumber: {"value.whole.number", "the number %g is not a whole one"},
	Above64Bits:    {"value.bits", "%s is more than 64 bits can hold"},
	AboveLimit:     {"value.above", "the number %d is above %d, the largest there can be"},
	AboveIPv4:      {"value.above.ipv4", "the number %d is above %d, the largest IPv4 address"},
	NegativeValue:  {"value.negative", "the number %d is negative; send numbers from 2147483648 on as a string"},
	WrongWay:       {"value.range", "the range %s is the wrong way round"},
	TwoFamilies:    {"value.families", "the range %s has ends of two families"},
	OutsideMask:    {"value.mask", "the value %#x has bits outside the mask %#x"},
	NotAddress:     {"value.address", "%s is not an address, a prefix or a range of addresses"},
	NumberIPv6:     {"value.ipv6", "an IPv6 address cannot be a number"},
	WithInterface:  {"value.interface", "%s names an interface, which connections do not"},

	NoUsers:    {"lacks.users", "there is no user in the marks here: uid_mask is not configured"},
	NoClasses:  {"lacks.classes", "there are no traffic classes here: no [[class]] is configured"},
	NoClass:    {"lacks.class", "there is no class %q"},
	NoClassBut: {"lacks.class.but", "there is no class %s, only %s"},

	Param:          {"param", "%s: %s"},
	MaskOfMark:     {"param.mask", "the mask of the mark"},
	NotNumber:      {"param.number", "%s: %q is not a number from 0 to %d"},
	NegativeParam:  {"param.negative", "%s: a negative number; if it is a number beyond 2147483647 that your client made negative, send it as a decimal string"},
	OutsideItsMask: {"param.outside", "%#x has bits outside its mask %#x"},
	NotSeconds:     {"param.seconds", "%d is not from 1 to %d seconds"},
	NoChange:       {"param.change", "%q cannot be changed, only mark, timeout and class"},
	BadChange:      {"param.change.value", "%s cannot be set to this value"},
	ManyMatch:      {"param.match", "%d connections match, more than the %d that one call kills"},

	RoleForbids:   {"refused.role", "the role %q of user %q does not permit %s"},
	RoleScope:     {"refused.scope", "%s tells of the table as a whole, and the role %q of user %q has a scope"},
	RoleBits:      {"refused.bits", "the role %q of user %q may change the mark bits %#x only: send value/mask with a mask inside"},
	ReadOnly:      {"refused.readonly", "%s is not permitted to anybody: the service is read-only"},
	OwnConnection: {"refused.own", "this very call came in on the connection: to kill it all the same, set force in options"},
	Errno:         {"refused.errno", "the error is %s"},
	ErrnoChanged:  {"refused.errno.changed", "the error is %s, but the value has changed"},
	Unanswered:    {"refused.unanswered", "the helper went away before it answered: it may have been done all the same"},
	Unaudited:     {"refused.unaudited", "the audit log cannot be written, so nothing was done"},
}
