using System.Buffers;
using Holdfast.Engine.Notebooks.Json;
using Holdfast.Engine.Notebooks.Outputs;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// A notebook on its way to and from clients. In files text is the list of its lines; clients of the contents API get and send it in one
/// piece, and with each code cell whether it is trusted. Unknown keys are kept. To a file everything is written as nbformat's own writer
/// does: indented by one, names sorted.
/// </summary>
internal sealed class NotebookExchange
{
    private static readonly JsonLayout FileLayout = JsonLayout.Of("{}"u8);

    private readonly JsonText _text;
    private readonly bool _isToFile;
    private readonly Func<int, bool>? _isTrusted;
    private readonly ArrayBufferWriter<byte> _scratch = new();

    private NotebookExchange(JsonText text, bool isToFile, Func<int, bool>? isTrusted) =>
        (_text, _isToFile, _isTrusted) = (text, isToFile, isTrusted);

    /// <summary>
    /// True after <see cref="ToFile"/> when every code cell is one that may be shown as it is: marked as trusted, or without rich outputs.
    /// </summary>
    private bool HasOnlyTrustedCells { get; set; } = true;

    /// <param name="notebook">One whole JSON object.</param>
    /// <param name="isTrusted">By the cell's index, markdown cells counted.</param>
    public static byte[] ToClient(ReadOnlySpan<byte> notebook, Func<int, bool> isTrusted)
    {
        JsonText text = new(JsonLayout.Compact, 0);
        new NotebookExchange(text, isToFile: false, isTrusted).Root(notebook);
        return text.ToArray();
    }

    public static (byte[] Text, bool HasOnlyTrustedCells) ToFile(ReadOnlySpan<byte> notebook)
    {
        JsonText text = new(FileLayout, 0);
        NotebookExchange exchange = new(text, isToFile: true, isTrusted: null);
        exchange.Root(notebook);
        return ([.. text.ToArray(), (byte)'\n'], exchange.HasOnlyTrustedCells);
    }

    private void Root(ReadOnlySpan<byte> notebook)
    {
        _text.StartObject();
        foreach ((byte[] name, int start, int length) in JsonText.SortedMembers(notebook))
        {
            ReadOnlySpan<byte> value = notebook.Slice(start, length);
            _text.Name(name);
            if (Is(name, "cells"u8) && value[0] == (byte)'[')
            {
                Cells(value);
            }
            else if (Is(name, "metadata"u8) && value[0] == (byte)'{' && _isToFile)
            {
                // Of the file, not in it: older versions of the format left these in memory only.
                Object(value, static name => Is(name, "orig_nbformat"u8) || Is(name, "orig_nbformat_minor"u8) || Is(name, "signature"u8));
            }
            else
            {
                _text.Value(value);
            }
        }

        _text.EndObject();
    }

    private void Cells(ReadOnlySpan<byte> cells)
    {
        _text.StartArray();
        JsonParts parts = new(cells);
        for (int index = 0; parts.MoveNext(); index++)
        {
            _text.Element();
            Cell(parts.Value, index);
        }

        _text.EndArray();
    }

    private void Cell(ReadOnlySpan<byte> cell, int index)
    {
        List<(byte[] Name, int Start, int Length)> members = JsonText.SortedMembers(cell);
        bool isCode = false,
            hasMetadata = false,
            isMarkedTrusted = false,
            hasRichOutput = false;
        foreach ((byte[] name, int start, int length) in members)
        {
            ReadOnlySpan<byte> value = cell.Slice(start, length);
            isCode |= Is(name, "cell_type"u8) && value.SequenceEqual("\"code\""u8);
            hasMetadata |= Is(name, "metadata"u8);
            isMarkedTrusted |= Is(name, "metadata"u8) && value[0] == (byte)'{' && Member(value, "trusted"u8).SequenceEqual("true"u8);
            hasRichOutput |= Is(name, "outputs"u8) && value[0] == (byte)'[' && HasRichOutput(value);
        }

        HasOnlyTrustedCells &= !isCode || isMarkedTrusted || !hasRichOutput;
        _text.StartObject();
        foreach ((byte[] name, int start, int length) in members)
        {
            CellMember(name, cell.Slice(start, length), isCode, index);
        }

        if (!hasMetadata)
        {
            _text.Name("metadata"u8);
            Metadata("{}"u8, isCode, index);
        }

        _text.EndObject();
    }

    private void CellMember(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isCode, int index)
    {
        _text.Name(name);
        if (Is(name, "source"u8))
        {
            Text(value);
        }
        else if (Is(name, "metadata"u8) && value[0] == (byte)'{')
        {
            Metadata(value, isCode, index);
        }
        else if (Is(name, "outputs"u8) && value[0] == (byte)'[')
        {
            Outputs(value);
        }
        else if (Is(name, "attachments"u8) && value[0] == (byte)'{')
        {
            Attachments(value);
        }
        else
        {
            _text.Value(value);
        }
    }

    /// <summary>What is for clients only, <c>trusted</c> and our notice of a conflict, is not written to files.</summary>
    private void Metadata(ReadOnlySpan<byte> metadata, bool isCode, int index)
    {
        bool hasTrust = false;
        _text.StartObject();
        foreach ((byte[] name, int start, int length) in JsonText.SortedMembers(metadata))
        {
            ReadOnlySpan<byte> value = metadata.Slice(start, length);
            if (Is(name, "trusted"u8))
            {
                continue;
            }

            if (!hasTrust && !_isToFile && isCode && name.AsSpan().SequenceCompareTo("trusted"u8) > 0)
            {
                Trust(index);
                hasTrust = true;
            }

            if (_isToFile && Is(name, "holdfast"u8) && value[0] == (byte)'{' && !Member(value, "conflict"u8).IsEmpty)
            {
                if (!Member(value, "executionId"u8).IsEmpty)
                {
                    _text.Name(name);
                    Object(value, static name => Is(name, "conflict"u8));
                }

                continue;
            }

            _text.Name(name);
            _text.Value(value);
        }

        if (!hasTrust && !_isToFile && isCode)
        {
            Trust(index);
        }

        _text.EndObject();
    }

    private void Trust(int index)
    {
        _text.Name("trusted"u8);
        _text.Raw(_isTrusted!(index) ? "true"u8 : "false"u8);
    }

    private void Outputs(ReadOnlySpan<byte> outputs)
    {
        _text.StartArray();
        JsonParts parts = new(outputs);
        while (parts.MoveNext())
        {
            _text.Element();
            ReadOnlySpan<byte> output = parts.Value;
            if (output[0] != (byte)'{')
            {
                _text.Value(output);
                continue;
            }

            ReadOnlySpan<byte> type = Member(output, "output_type"u8);
            bool isRich = type.SequenceEqual("\"display_data\""u8) || type.SequenceEqual("\"execute_result\""u8);
            bool isStream = type.SequenceEqual("\"stream\""u8);
            _text.StartObject();
            foreach ((byte[] name, int start, int length) in JsonText.SortedMembers(output))
            {
                ReadOnlySpan<byte> value = output.Slice(start, length);
                _text.Name(name);
                if (isRich && Is(name, "data"u8) && value[0] == (byte)'{')
                {
                    Bundle(value);
                }
                else if (isStream && Is(name, "text"u8))
                {
                    Text(value);
                }
                else
                {
                    _text.Value(value);
                }
            }

            _text.EndObject();
        }

        _text.EndArray();
    }

    private void Attachments(ReadOnlySpan<byte> attachments)
    {
        _text.StartObject();
        foreach ((byte[] name, int start, int length) in JsonText.SortedMembers(attachments))
        {
            ReadOnlySpan<byte> value = attachments.Slice(start, length);
            _text.Name(name);
            if (value[0] == (byte)'{')
            {
                Bundle(value);
            }
            else
            {
                _text.Value(value);
            }
        }

        _text.EndObject();
    }

    private void Bundle(ReadOnlySpan<byte> bundle)
    {
        if (_isToFile)
        {
            MimeBundle.Write(bundle, _text);
            return;
        }

        _text.StartObject();
        foreach ((byte[] type, int start, int length) in JsonText.SortedMembers(bundle))
        {
            _text.Name(type);
            ReadOnlySpan<byte> value = bundle.Slice(start, length);
            if (MimeBundle.IsJson(type))
            {
                _text.Value(value);
            }
            else
            {
                Text(value);
            }
        }

        _text.EndObject();
    }

    /// <summary>A string, or a list of strings: to a client in one piece, to a file as lines. Anything else is left as it is.</summary>
    private void Text(ReadOnlySpan<byte> value)
    {
        if (!MimeBundle.TryJoin(value, _scratch, out ReadOnlySpan<byte> joined))
        {
            _text.Value(value);
        }
        else if (_isToFile)
        {
            _text.Lines(joined);
        }
        else
        {
            _text.String(joined);
        }
    }

    private void Object(ReadOnlySpan<byte> value, Func<byte[], bool> isLeftOut)
    {
        _text.StartObject();
        foreach ((byte[] name, int start, int length) in JsonText.SortedMembers(value))
        {
            if (!isLeftOut(name))
            {
                _text.Name(name);
                _text.Value(value.Slice(start, length));
            }
        }

        _text.EndObject();
    }

    private static bool HasRichOutput(ReadOnlySpan<byte> outputs)
    {
        JsonParts parts = new(outputs);
        while (parts.MoveNext())
        {
            if (parts.Value[0] == (byte)'{' && !Member(parts.Value, "data"u8).IsEmpty)
            {
                return true;
            }
        }

        return false;
    }

    private static ReadOnlySpan<byte> Member(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> value = default;
        JsonParts parts = new(json);
        while (parts.MoveNext())
        {
            if (JsonStrings.Equals(parts.Name, name))
            {
                value = parts.Value;
            }
        }

        return value;
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> wanted) => name.SequenceEqual(wanted);
}
