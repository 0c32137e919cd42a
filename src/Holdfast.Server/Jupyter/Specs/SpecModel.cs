using System.Text.Json;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Jupyter.Specs;

/// <summary>A kernelspec as Jupyter's clients check it, with the addresses of its logos and scripts.</summary>
internal static class SpecModel
{
    /// <param name="pathBase">What stands before every path of ours in the address that the client uses.</param>
    public static void Write(Utf8JsonWriter writer, KernelSpec spec, string pathBase)
    {
        writer.WriteStartObject();
        writer.WriteString("name", spec.Name);
        writer.WriteStartObject("spec");
        writer.WriteStartArray("argv");
        foreach (string argument in spec.Argv)
        {
            writer.WriteStringValue(argument);
        }

        writer.WriteEndArray();
        writer.WriteStartObject("env");
        foreach ((string name, string value) in spec.Environment)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
        writer.WriteString("display_name", spec.DisplayName);
        writer.WriteString("language", spec.Language);
        writer.WriteString("interrupt_mode", spec.InterruptMode);
        writer.WritePropertyName("metadata");
        writer.WriteRawValue(spec.MetadataJson);
        writer.WriteEndObject();
        WriteResources(writer, spec, pathBase);
        writer.WriteEndObject();
    }

    private static void WriteResources(Utf8JsonWriter writer, KernelSpec spec, string pathBase)
    {
        writer.WriteStartObject("resources");
        foreach (string file in SpecResources.Of(spec.ResourceDirectory))
        {
            string key = file.StartsWith("logo-", StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(file) : file;
            writer.WriteString(key, $"{pathBase}/kernelspecs/{Uri.EscapeDataString(spec.Name)}/{Uri.EscapeDataString(file)}");
        }

        writer.WriteEndObject();
    }
}
