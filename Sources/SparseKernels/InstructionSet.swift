import CSparseKernels

/// The processor features that a set of kernels is made for. Raw values are the words of `GAMBIT_ISA`.
package enum InstructionSet: String, Sendable, CaseIterable {
  /// Plain C, one element a time: what the others are compared with.
  case scalar
  /// AVX2, FMA and F16C (x86-64-v3).
  case avx2
  /// AVX-512 F, BW and VL (x86-64-v4).
  case avx512
  /// NEON (arm64).
  case neon

  /// Those that this processor and this program have, the fastest last.
  package static var supported: [InstructionSet] { allCases.filter { $0.table != nil } }

  /// The one that `name` asks for, the fastest where it is nil or empty.
  package static func chosen(_ name: String?) throws(InstructionSetError) -> InstructionSet {
    guard let name, !name.isEmpty else { return supported.last ?? .scalar }
    guard let set = InstructionSet(rawValue: name), set.table != nil else {
      throw InstructionSetError(name: name, supported: supported)
    }
    return set
  }

  var table: UnsafePointer<gambit_kernels>? {
    switch self {
    case .scalar: gambit_kernels_for(GAMBIT_SCALAR)
    case .avx2: gambit_kernels_for(GAMBIT_AVX2)
    case .avx512: gambit_kernels_for(GAMBIT_AVX512)
    case .neon: gambit_kernels_for(GAMBIT_NEON)
    }
  }
}

/// An instruction set was asked for that is unknown, or that this processor lacks.
package struct InstructionSetError: Error, Equatable, Sendable, CustomStringConvertible {
  package let name: String
  package let supported: [InstructionSet]

  package var description: String {
    let known = supported.map(\.rawValue).joined(separator: ", ")
    return "GAMBIT_ISA is '\(name)', for which there are no kernels on this processor; set it to one of \(known), "
      + "or unset it."
  }
}
