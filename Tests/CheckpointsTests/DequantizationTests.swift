import Testing

@testable import Checkpoints

@Suite struct DequantizationTests {
  @Test(arguments: WeightEncoding.allCases)
  func valuesAreThoseOfTheReference(encoding: WeightEncoding) throws {
    let file = try GGUFFile(path: Fixture.path("encodings.gguf"))

    let values = try file.values(of: encoding.name)

    #expect(file.tensor(named: encoding.name)?.encoding == encoding)
    #expect(try values == Fixture.expected("encodings.safetensors").values(of: encoding.name))
  }

  @Test(arguments: [WeightEncoding.q4_0, .q5_0, .q5_1, .q8_0, .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_NL])
  func whatLlamaCppQuantisedReadsAsItReadsIt(encoding: WeightEncoding) throws {
    let file = try GGUFFile(path: Fixture.path("llama-cpp.gguf"))

    #expect(try file.values(of: encoding.name) == file.values(of: encoding.name + ".values"))
  }

  #if !(os(macOS) && arch(x86_64))
    @Test func everyHalfIsWidenedExactly() {
      let wrong = (UInt16.min ... .max).filter { bits in
        let expected = Float(Float16(bitPattern: bits))
        let value = FloatBits.float(fromF16: bits)
        return expected.isNaN ? !value.isNaN : value.bitPattern != expected.bitPattern
      }
      #expect(wrong == [])
    }
  #endif

  @Test func sizesThatAreNoWholeBlocksOrTooLargeHaveNoByteCount() {
    #expect(WeightEncoding.q4_1.byteCount(of: 64) == 40)
    #expect(WeightEncoding.q4_1.byteCount(of: 33) == nil)
    #expect(WeightEncoding.q4_1.byteCount(of: -32) == nil)
    #expect(WeightEncoding.f32.byteCount(of: .max) == nil)
  }
}
