import CHDF5

/// A number that datasets are made of: `Float`, `Double`, `Int32`, `Int64`, `UInt8`, `UInt32`, `UInt64`.
public protocol HDF5Scalar: BitwiseCopyable, Sendable {
  /// The type's name in HDF5 terms.
  static var elementType: HDF5ElementType { get }
}

/// The element types that this module reads and writes. On disk they are little-endian.
public enum HDF5ElementType: String, CaseIterable, Sendable {
  case float32, float64, int32, int64, uint8, uint32, uint64

  /// Bytes an element.
  public var size: Int {
    switch self {
    case .uint8: 1
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }
}

extension Float: HDF5Scalar { public static var elementType: HDF5ElementType { .float32 } }
extension Double: HDF5Scalar { public static var elementType: HDF5ElementType { .float64 } }
extension Int32: HDF5Scalar { public static var elementType: HDF5ElementType { .int32 } }
extension Int64: HDF5Scalar { public static var elementType: HDF5ElementType { .int64 } }
extension UInt8: HDF5Scalar { public static var elementType: HDF5ElementType { .uint8 } }
extension UInt32: HDF5Scalar { public static var elementType: HDF5ElementType { .uint32 } }
extension UInt64: HDF5Scalar { public static var elementType: HDF5ElementType { .uint64 } }

extension HDF5ElementType {
  /// The type as it lies in memory.
  var inMemory: hid_t {
    switch self {
    case .float32: gambit_h5_native_float()
    case .float64: gambit_h5_native_double()
    case .int32: gambit_h5_native_int32()
    case .int64: gambit_h5_native_int64()
    case .uint8: gambit_h5_native_uint8()
    case .uint32: gambit_h5_native_uint32()
    case .uint64: gambit_h5_native_uint64()
    }
  }

  /// The type as it lies on disk, the same on every machine.
  var onDisk: hid_t {
    switch self {
    case .float32: gambit_h5_stored_float()
    case .float64: gambit_h5_stored_double()
    case .int32: gambit_h5_stored_int32()
    case .int64: gambit_h5_stored_int64()
    case .uint8: gambit_h5_stored_uint8()
    case .uint32: gambit_h5_stored_uint32()
    case .uint64: gambit_h5_stored_uint64()
    }
  }

  /// The element type of a datatype in a file, whatever its byte order; `nil` where there is none.
  init?(_ type: hid_t) {
    switch (H5Tget_class(type), H5Tget_size(type), H5Tget_sign(type)) {
    case (H5T_FLOAT, 4, _): self = .float32
    case (H5T_FLOAT, 8, _): self = .float64
    case (H5T_INTEGER, 4, H5T_SGN_2): self = .int32
    case (H5T_INTEGER, 8, H5T_SGN_2): self = .int64
    case (H5T_INTEGER, 1, H5T_SGN_NONE): self = .uint8
    case (H5T_INTEGER, 4, H5T_SGN_NONE): self = .uint32
    case (H5T_INTEGER, 8, H5T_SGN_NONE): self = .uint64
    default: return nil
    }
  }
}
