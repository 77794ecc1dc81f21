/// Why a safetensors header is not valid. Its text says what is wrong, without the file's name.
public enum SafetensorsError: Error, Equatable, Sendable {
  /// The header's length, in bytes, exceeds the file or the format's 100 MB.
  case headerSize(UInt64)
  /// Not the JSON of a header, at this byte of it.
  case syntax(offset: Int, expected: String)
  case duplicateName(String)
  case unknownType(tensor: String, type: String)
  /// The range's length contradicts type and shape.
  case wrongSize(tensor: String)
  /// The range starts before the end of the one in front of it, or leaves a hole there.
  case gapOrOverlap(tensor: String)
  /// The data has a different length than the tensors' in all.
  case dataSize(expected: Int, actual: Int)
}

extension SafetensorsError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .headerSize(let size):
      "its header is said to have \(size) bytes, more than the file or than the format's limit of 100 MB"
    case .syntax(let offset, let expected): "byte \(offset) of its header is not \(expected)"
    case .duplicateName(let name): "'\(name)' occurs twice in its header"
    case .unknownType(let tensor, let type):
      "tensor '\(tensor)' has the type '\(type)'; known: "
        + SafetensorsType.allCases.map(\.rawValue).joined(separator: ", ")
    case .wrongSize(let tensor): "the range of tensor '\(tensor)' does not fit its type and shape"
    case .gapOrOverlap(let tensor): "the data of tensor '\(tensor)' does not start where the one before it ends"
    case .dataSize(let expected, let actual): "its tensors take \(expected) bytes, but its data has \(actual)"
    }
  }
}
