import Foundation

// gambit.h, in its order and with its words.

@_cdecl("gambit_open")
public func open(
  _ path: UnsafePointer<CChar>?, _ sparsity: Double, _ capacity: Int32, _ threads: Int32,
  _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> UnsafeMutableRawPointer? {
  reporting(error) {
    guard let path else { throw MisuseError("there is no path") }
    let model = try RunningModel(
      path: String(cString: path), sparsity: sparsity, capacity: Int(capacity), threads: Int(threads))
    return Unmanaged.passRetained(model).toOpaque()
  }
}

@_cdecl("gambit_close")
public func close(_ model: UnsafeMutableRawPointer?) {
  if let model { Unmanaged<RunningModel>.fromOpaque(model).release() }
}

@_cdecl("gambit_vocabulary_size")
public func vocabularySize(_ model: UnsafeRawPointer?) -> Int32 { Int32(running(model)?.vocabularySize ?? 0) }

@_cdecl("gambit_position")
public func position(_ model: UnsafeRawPointer?) -> Int32 { Int32(running(model)?.position ?? 0) }

@_cdecl("gambit_feed")
public func feed(
  _ model: UnsafeMutableRawPointer?, _ tokens: UnsafePointer<Int32>?, _ count: Int32, _ sparse: Int32,
  _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
  reporting(error) {
    guard let model = running(model), count >= 0, tokens != nil || count == 0 else {
      throw MisuseError("there is no model, or there are no tokens")
    }
    try model.feed(UnsafeBufferPointer(start: tokens, count: Int(count)), sparse: sparse != 0)
    return 0
  } ?? -1
}

@_cdecl("gambit_logits")
public func logits(_ model: UnsafeRawPointer?) -> UnsafePointer<Float>? {
  guard let model = running(model), model.position > 0 else { return nil }
  return UnsafePointer(model.logits)
}

@_cdecl("gambit_reset")
public func reset(_ model: UnsafeMutableRawPointer?) { running(model)?.reset() }

@_cdecl("gambit_encode")
public func encode(
  _ model: UnsafeMutableRawPointer?, _ text: UnsafePointer<CChar>?, _ tokens: UnsafeMutablePointer<Int32>?,
  _ room: Int32, _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
  reporting(error) {
    guard let model = running(model), let text else { throw MisuseError("there is no model, or there is no text") }
    let ids = model.tokenizer.encode(String(cString: text), addingSpecialTokens: true)
    guard let count = Int32(exactly: ids.count) else { throw MisuseError("the text has too many tokens") }
    if let tokens { for (index, id) in ids.prefix(Int(max(room, 0))).enumerated() { tokens[index] = id } }
    return count
  } ?? -1
}

@_cdecl("gambit_decode")
public func decode(
  _ model: UnsafeMutableRawPointer?, _ tokens: UnsafePointer<Int32>?, _ count: Int32
) -> UnsafeMutablePointer<CChar>? {
  guard let model = running(model) else { return nil }
  let ids = UnsafeBufferPointer(start: tokens, count: tokens == nil ? 0 : Int(max(count, 0)))
  return strdup(model.tokenizer.decode(ids.filter { $0 >= 0 && Int($0) < model.vocabularySize }))
}

@_cdecl("gambit_free_text")
public func freeText(_ text: UnsafeMutablePointer<CChar>?) { free(text) }

private func running(_ model: UnsafeRawPointer?) -> RunningModel? {
  model.map { Unmanaged<RunningModel>.fromOpaque($0).takeUnretainedValue() }
}

/// `nil` where `body` throws, with the sentence in `error`.
private func reporting<Result>(
  _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ body: () throws -> Result
) -> Result? {
  error?.pointee = nil
  do {
    return try body()
  } catch let thrown {
    error?.pointee = strdup("\(thrown)")
    return nil
  }
}
