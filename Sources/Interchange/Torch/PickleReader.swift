/// Reads the part of Python's pickle protocols 2 to 4 that `torch.save` writes for dictionaries, lists and tensors.
/// Opcodes: CPython's `Lib/pickletools.py`.
package struct PickleReader {
  /// Containers within containers; a pickle of tensors has four.
  private static let depthLimit = 16
  /// Entries of a container that grows; a list of thresholds has as many as the model layers. Growing may copy what is
  /// there, so that time is bounded by this and the size.
  private static let entryLimit = 1024
  /// In bytes; a pickle of tensors takes some 130 for each.
  private static let sizeLimit = 1 << 20

  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var stack: [(value: PickleValue, depth: Int)] = []
  private var marks: [Int] = []
  private var memo: [Int: (value: PickleValue, depth: Int)] = [:]

  package init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// - Throws: ``TorchError``.
  package mutating func read() throws(TorchError) -> PickleValue {
    guard bytes.count <= Self.sizeLimit else { throw .unsupported("a pickle of \(bytes.count) bytes") }
    while true {
      let code = try byte()
      if code == UInt8(ascii: ".") { return try pop().value }
      try execute(code)
    }
  }

  private mutating func execute(_ code: UInt8) throws(TorchError) {
    switch code {
    case 0x80: _ = try byte()  // PROTO
    case 0x95: _ = try integer(8)  // FRAME
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.flag(true))
    case 0x89: push(.flag(false))
    case UInt8(ascii: "J"): push(.integer(Int(Int32(truncatingIfNeeded: try integer(4)))))
    case UInt8(ascii: "K"): push(.integer(try integer(1)))
    case UInt8(ascii: "M"): push(.integer(try integer(2)))
    case 0x8a: push(.integer(try longInteger()))
    case UInt8(ascii: "X"): push(.text(try text(integer(4))))
    case 0x8c: push(.text(try text(integer(1))))
    case UInt8(ascii: "c"): push(.global("\(try line()) \(try line())"))
    case 0x93:
      guard case (.text(let module), .text(let name)) = try popTwo() else { throw malformed }
      push(.global("\(module) \(name)"))
    case UInt8(ascii: "}"): push(.dictionary([]))
    case UInt8(ascii: "]"): push(.list([]))
    case UInt8(ascii: ")"): push(.tuple([]))
    case UInt8(ascii: "t"): try collect(try sinceMark()) { .tuple($0) }
    case 0x85, 0x86, 0x87: try collect(try last(Int(code) - 0x84)) { .tuple($0) }
    case UInt8(ascii: "a"), UInt8(ascii: "e"):
      let added = code == UInt8(ascii: "a") ? try last(1) : try sinceMark()
      try extend(added)
    case UInt8(ascii: "s"), UInt8(ascii: "u"):
      let added = code == UInt8(ascii: "s") ? try last(2) : try sinceMark()
      guard case .dictionary = try topEntry().value, added.count.isMultiple(of: 2) else { throw malformed }
      try extend(added)
    case UInt8(ascii: "q"): try remember(as: integer(1))
    case UInt8(ascii: "r"): try remember(as: integer(4))
    case 0x94: try remember(as: memo.count)
    case UInt8(ascii: "h"): try recall(integer(1))
    case UInt8(ascii: "j"): try recall(integer(4))
    case UInt8(ascii: "Q"): push(try storage(pop().value))
    case UInt8(ascii: "R"):
      let (function, arguments) = try popTwo()
      push(try call(function, arguments))
    default: throw .unsupported("pickle opcode \(code) at byte \(position - 1 - bytes.startIndex)")
    }
  }

  // MARK: What torch means by it

  /// `("storage", torch.FloatStorage, key, location, count)`
  private func storage(_ value: PickleValue) throws(TorchError) -> PickleValue {
    guard case .tuple(let parts) = value, parts.count == 5, case .global(let type) = parts[1],
      case .text(let key) = parts[2], case .integer(let count) = parts[4], parts[0] == .text("storage"), count >= 0
    else { throw malformed }
    return .storage(TorchStorage(type: String(type.split(separator: " ").last ?? ""), key: key, count: count))
  }

  private func call(_ function: PickleValue, _ arguments: PickleValue) throws(TorchError) -> PickleValue {
    guard case .global(let name) = function, case .tuple(let arguments) = arguments else { throw malformed }
    switch name {
    case "collections OrderedDict": return .nothingOfUse
    case "torch._utils _rebuild_tensor_v2":
      guard arguments.count >= 4, case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1]
      else { throw malformed }
      return .tensor(
        TorchTensor(
          storage: storage, offset: offset, shape: try integers(arguments[2]), strides: try integers(arguments[3])))
    default: throw .unsupported("an object of \(quoted(name))")
    }
  }

  private func integers(_ value: PickleValue) throws(TorchError) -> [Int] {
    guard case .tuple(let values) = value else { throw malformed }
    var integers: [Int] = []
    for case .integer(let number) in values where number >= 0 { integers.append(number) }
    guard integers.count == values.count else { throw malformed }
    return integers
  }

  // MARK: The machine

  private var malformed: TorchError { .damaged("its pickle makes no sense at byte \(position - bytes.startIndex)") }

  private mutating func push(_ value: PickleValue) { stack.append((value, 0)) }

  private mutating func pop() throws(TorchError) -> (value: PickleValue, depth: Int) {
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else { throw malformed }
    return value
  }

  private mutating func popTwo() throws(TorchError) -> (PickleValue, PickleValue) {
    let second = try pop().value
    return (try pop().value, second)
  }

  private func topEntry() throws(TorchError) -> (value: PickleValue, depth: Int) {
    guard let entry = stack.last else { throw malformed }
    return entry
  }

  /// What is recalled are names and tuples. A list or dictionary is kept as it is now, and would not grow with the other
  /// one: where it has entries, it is of no use.
  private mutating func remember(as index: Int) throws(TorchError) {
    var entry = try topEntry()
    switch entry.value {
    case .list(let entries) where !entries.isEmpty, .dictionary(let entries) where !entries.isEmpty:
      entry.value = .nothingOfUse
    default: break
    }
    memo[index] = entry
  }

  private mutating func recall(_ index: Int) throws(TorchError) {
    guard let entry = memo[index] else { throw malformed }
    stack.append(entry)
  }

  private mutating func sinceMark() throws(TorchError) -> [(value: PickleValue, depth: Int)] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw malformed }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func last(_ count: Int) throws(TorchError) -> [(value: PickleValue, depth: Int)] {
    guard stack.count >= count else { throw malformed }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func collect(
    _ entries: [(value: PickleValue, depth: Int)], _ make: ([PickleValue]) -> PickleValue
  ) throws(TorchError) {
    stack.append((make(entries.map(\.value)), try depth(around: entries)))
  }

  /// Puts more entries into the topmost list or dictionary.
  private mutating func extend(_ entries: [(value: PickleValue, depth: Int)]) throws(TorchError) {
    let (container, before) = try pop()
    let depth = max(before, try self.depth(around: entries))
    let values: [PickleValue]
    switch container {
    case .list(let list): values = list + entries.map(\.value)
    case .dictionary(let dictionary): values = dictionary + entries.map(\.value)
    default: throw malformed
    }
    guard values.count <= Self.entryLimit else { throw .unsupported("a container of \(values.count) entries") }
    if case .list = container {
      stack.append((.list(values), depth))
    } else {
      stack.append((.dictionary(values), depth))
    }
  }

  private func depth(around entries: [(value: PickleValue, depth: Int)]) throws(TorchError) -> Int {
    let depth = 1 + (entries.map(\.depth).max() ?? 0)
    guard depth <= Self.depthLimit else { throw .unsupported("containers \(Self.depthLimit) deep") }
    return depth
  }

  // MARK: Bytes

  private mutating func byte() throws(TorchError) -> UInt8 {
    guard position < bytes.endIndex else { throw .damaged("its pickle is cut short") }
    defer { position += 1 }
    return bytes[position]
  }

  /// Little-endian, not negative below eight bytes.
  private mutating func integer(_ size: Int) throws(TorchError) -> Int {
    var value: UInt64 = 0
    for index in 0..<size { value |= UInt64(try byte()) << (8 * UInt64(index)) }
    return Int(truncatingIfNeeded: value)
  }

  private mutating func longInteger() throws(TorchError) -> Int {
    let size = try integer(1)
    guard size <= 8 else { throw .unsupported("an integer of \(size) bytes") }
    guard size > 0 else { return 0 }
    let shift = 64 - 8 * size
    return (try integer(size) << shift) >> shift
  }

  private mutating func text(_ length: Int) throws(TorchError) -> String {
    guard length <= bytes.endIndex - position else { throw .damaged("its pickle is cut short") }
    defer { position += length }
    return String(decoding: bytes[position..<position + length], as: UTF8.self)
  }

  private mutating func line() throws(TorchError) -> String {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw .damaged("its pickle is cut short")
    }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }
}
